"""`python -m leadroutes` is the command line."""

from leadroutes.cli import app

if __name__ == "__main__":
    app()
