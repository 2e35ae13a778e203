// Verifies a message with the library of Standard Webhooks: secret, headers as JSON, body.
const { Webhook } = require("standardwebhooks");

const [secret, headers, body] = process.argv.slice(2);
try {
  console.log(new Webhook(secret).verify(body, JSON.parse(headers)).type);
} catch (error) {
  console.log(error.message);
  process.exitCode = 1;
}
