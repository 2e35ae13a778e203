// Reads a card as a client of Adaptive Cards 1.4 does, and prints what it does not know or finds wrong.
const { AdaptiveCard, SerializationContext, Versions } = require("adaptivecards/dist/adaptivecards.js");

const card = new AdaptiveCard();
const context = new SerializationContext(Versions.v1_4);
card.parse(JSON.parse(process.argv[2]), context);
const faults = Array.from({ length: context.eventCount }, (_, place) => context.getEventAt(place).message);
faults.push(...card.validateProperties().validationEvents.map((each) => each.message));
console.log(faults.join("\n"));
process.exitCode = faults.length ? 1 : 0;
