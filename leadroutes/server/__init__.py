"""THE PROCESS. The ASGI application, the limits of HTTP, start and stop."""
