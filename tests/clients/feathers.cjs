// Drives the service with Feathers' own client of one version: node feathers.cjs VERSION URL TOKEN. Ends with 0 if all held.
"use strict";
const assert = require("node:assert/strict");
const [version, url, token] = process.argv.slice(2);
const feathers = require(`feathers-${version}`);

const app = feathers.default ? feathers.default() : feathers();
app.configure(feathers.rest(url).fetch(fetch, { headers: { Authorization: `Bearer ${token}` } }));
const anonymous = feathers.default ? feathers.default() : feathers();
anonymous.configure(feathers.rest(url).fetch(fetch));
const contacts = app.service("contacts");
const tag = `v${version}`; // three versions, one account
const mine = { company: tag };
const names = (page) => page.data.map((each) => each.first_name).join("");
const find = async (query) => names(await contacts.find({ query: { ...mine, ...query } }));

async function refused(promise, name, code, className) {
  const error = await promise.then(() => assert.fail("it was not refused"), (reason) => reason);
  assert.equal(error.name, name, error.stack);
  assert.equal(error.code, code);
  assert.equal(error.className, className);
  assert.ok(error instanceof feathers.errors[name], `${name} is not the class of ${error}`);
  return error;
}

async function lists(ids) {
  const many = [...Array(60).keys()].map((number) => 1_000_000 + number);
  const cases = [
    [{}, "ABCDE"],
    [{ first_name: "B" }, "B"],
    [{ first_name: ["B", "D"] }, "BD"],
    [{ first_name: { $ne: "B" } }, "ACDE"],
    [{ first_name: { $in: ["A", "C"] } }, "AC"],
    [{ first_name: { $in: ["A"] } }, "A"],
    [{ first_name: { $in: [] } }, "ABCDE"], // sends no parameter at all
    [{ first_name: { $nin: ["A", "C"] } }, "BDE"],
    [{ first_name: { $nin: ["E"] } }, "ABCD"],
    [{ first_name: { $lt: "C" } }, "AB"],
    [{ first_name: { $lte: "C" } }, "ABC"],
    [{ first_name: { $gt: "C" } }, "DE"],
    [{ first_name: { $gte: "C" } }, "CDE"],
    [{ first_name: { $gt: "A", $lt: "D" } }, "BC"],
    [{ id: { $in: [ids[1], ids[3]] } }, "BD"],
    [{ id: { $in: [...many, ids[1], ids[3]] } }, "BD"], // more than the twenty that the old stack read as a list
    [{ id: { $nin: [...many, ids[1], ids[3]] } }, "ACE"],
    [{ $or: [...many.map((id) => ({ id })), { id: ids[2] }] }, "C"],
    [{ $or: [{ $and: [{ first_name: "A" }, { id: ids[0] }] }, { first_name: { $in: ["D"] } }] }, "AD"],
    [{ id: { $gt: ids[2] } }, "DE"],
    [{ created_at: { $gte: new Date("2021-01-01").toISOString() } }, "DE"],
    [{ hotness_id: null }, "ABCD"], // sent as nothing, which is null on all fields that are not text
    [{ hotness_id: { $ne: null } }, "E"],
    [{ spouse_name: "null" }, "ABCD"],
    [{ spouse_name: { $ne: "null" } }, "E"],
    [{ $or: [{ first_name: "A" }, { first_name: { $gt: "D" } }] }, "AE"],
    [{ $or: [{ first_name: "A", id: ids[1] }, { last_name: "Ü & Co" }] }, "C"],
    [{ $and: [{ first_name: { $gt: "A" } }, { first_name: { $lt: "C" } }] }, "B"],
    [{ $sort: { first_name: -1 } }, "EDCBA"],
    [{ $sort: { spouse_name: -1, first_name: 1 } }, "EABCD"],
    [{ $limit: 2 }, "AB"],
    [{ $limit: 2, $skip: 3 }, "DE"],
    [{ $skip: 4 }, "E"],
    [{ $limit: 0 }, ""],
    [{ last_name: "Ü & Co" }, "C"],
    [{ email: "A@EXAMPLE.com" }, "A"],
  ];
  for (const [query, expected] of cases) assert.equal(await find(query), expected, JSON.stringify(query));
  const page = await contacts.find({ query: { ...mine, $limit: 2, $skip: 1 } });
  assert.deepEqual([page.total, page.limit, page.skip], [5, 2, 1]);
  const few = await contacts.find({ query: { ...mine, $select: ["first_name", "email"], $limit: 1 } });
  assert.deepEqual(Object.keys(few.data[0]).sort(), ["email", "first_name", "id"]);
}

async function records(ids) {
  const whole = await contacts.get(ids[0]);
  assert.equal(whole.first_name, "A");
  assert.deepEqual(Object.keys(await contacts.get(ids[0], { query: { $select: ["first_name"] } })).sort(), ["first_name", "id"]);
  const patched = await contacts.patch(ids[0], { spouse_name: "Kim" });
  assert.equal(patched.spouse_name, "Kim");
  assert.equal(patched.email, whole.email);
  const updated = await contacts.update(ids[0], { first_name: "F", company: tag });
  assert.deepEqual([updated.first_name, updated.email, updated.spouse_name], ["F", null, null]);
  const addresses = app.service(`contacts/${ids[0]}/addresses`);
  const address = await addresses.create({ type: "Home", zip: 98112 });
  assert.equal((await addresses.find()).data[0].id, address.id);
  assert.equal((await addresses.remove(address.id)).zip, "98112");
  assert.equal((await app.service("/contacts/").get(ids[0])).id, ids[0]);
  assert.equal((await contacts.remove(ids[0])).first_name, "F");
  await refused(contacts.remove(ids[0]), "NotFound", 404, "not-found");
}

async function errors() {
  await refused(anonymous.service("contacts").find(), "NotAuthenticated", 401, "not-authenticated");
  const invalid = await refused(app.service("lead-routes").create({}), "BadRequest", 400, "bad-request");
  assert.equal(invalid.errors.campaign_id, "campaign_id is required");
  const query = await refused(contacts.find({ query: { nope: 1 } }), "BadRequest", 400, "bad-request");
  assert.deepEqual(query.data, { nope: "1" });
  await refused(contacts.find({ query: { $sort: { nope: 1 } } }), "BadRequest", 400, "bad-request");
  await refused(contacts.find({ query: { $select: ["addresses.city"] } }), "BadRequest", 400, "bad-request");
  await refused(contacts.find({ query: { first_name: { $like: "A" } } }), "BadRequest", 400, "bad-request");
  await refused(app.service("lead-sources").patch(1, { name: "Mine" }), "Forbidden", 403, "forbidden");
  const missing = await refused(contacts.get("undefined"), "NotFound", 404, "not-found");
  assert.equal(missing.message, "No record found for id 'undefined'");
  await refused(app.service("nonsense").find(), "NotFound", 404, "not-found");
  await refused(contacts.patch(null, { fax: "1" }), "MethodNotAllowed", 405, "method-not-allowed");
  await refused(contacts.remove(null), "MethodNotAllowed", 405, "method-not-allowed");
  await refused(contacts.create([{ fax: "1" }]), "MethodNotAllowed", 405, "method-not-allowed");
  await app.service("tags").create({ content: tag });
  await refused(app.service("tags").create({ content: tag.toUpperCase() }), "Conflict", 409, "conflict");
}

async function main() {
  const ids = [];
  const hot = await app.service("hotnesses").create({ name: tag });
  for (const [place, first_name] of ["A", "B", "C", "D", "E"].entries()) {
    const record = await contacts.create({
      ...mine, first_name, email: `${first_name}@example.com`, created_at: `${2018 + place}-06-01`,
      last_name: first_name === "C" ? "Ü & Co" : null, spouse_name: first_name === "E" ? "Sam" : null,
      hotness_id: first_name === "E" ? hot.id : 0,
    });
    assert.equal(record.created_at, `${2018 + place}-06-01T00:00:00.000Z`);
    ids.push(record.id);
  }
  await lists(ids);
  await records(ids);
  await errors();
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
