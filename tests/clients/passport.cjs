// A web application that signs people in with passport-liondesk as it is: node passport.cjs URL CLIENT_ID CLIENT_SECRET.
// Prints its own address; /auth begins, /cb ends with what it has learned, /renew?token= uses a refresh token.
"use strict";
const http = require("node:http");
const passport = require("passport");
const { Strategy } = require("passport-liondesk");
const [url, clientID, clientSecret] = process.argv.slice(2);

const server = http.createServer((request, response) => {
  const tell = (status, body) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
  };
  const { pathname, searchParams } = new URL(request.url, "http://127.0.0.1");
  request.query = Object.fromEntries(searchParams);
  if (pathname === "/renew") {
    const parameters = { grant_type: "refresh_token" };
    strategy._oauth2.getOAuthAccessToken(searchParams.get("token"), parameters, (error, access, refresh, answer) =>
      error ? tell(500, { error: error.data || error.message }) : tell(200, { access, refresh, answer }));
    return;
  }
  passport.authenticate("liondesk", { session: false }, (error, user, info) =>
    error ? tell(500, { error: error.message }) : user ? tell(200, user) : tell(401, info))(request, response, (error) => tell(500, { error }));
});
let strategy;
server.listen(0, "127.0.0.1", () => {
  const own = `http://127.0.0.1:${server.address().port}`;
  strategy = new Strategy(
    {
      authorizationURL: `${url}//oauth2//authorize`, tokenURL: `${url}//oauth2//token`, profileURL: `${url}//users`,
      clientID, clientSecret, callbackURL: `${own}/cb`, scope: ["read", "write"],
    },
    (accessToken, refreshToken, answer, profile, done) => done(null, { accessToken, refreshToken, answer, profile }),
  );
  passport.use(strategy);
  console.log(own);
});
