// The push service of web-push-testing, which checks signatures and reads bodies, on the port that is given.
"use strict";

const { PushApiModel } = require("web-push-testing/src/PushApiModel");
const WebPushTestingServer = require("web-push-testing/src/server");

new WebPushTestingServer(new PushApiModel(), Number(process.argv[2])).startServer();
