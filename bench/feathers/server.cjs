// What people had before, as its own documents say it is made: /lead-routes by Feathers, in SQLite, every commit on disk.
//
// node server.cjs FILE ROUTES: the first line of output is the port; ends with its input.

const { feathers } = require("@feathersjs/feathers");
const { koa, rest, bodyParser, errorHandler } = require("@feathersjs/koa");
const { KnexService } = require("@feathersjs/knex");
const knex = require("knex");

const [file, count] = [process.argv[2], Number(process.argv[3])];
const BATCH = 50; // rows of a statement

async function main() {
  const db = knex({
    client: "better-sqlite3",
    connection: { filename: file },
    useNullAsDefault: true,
    pool: {
      afterCreate(connection, done) {
        connection.pragma("journal_mode = WAL"); // one write to the disk for a commit, in place of three
        connection.pragma("synchronous = FULL");
        done();
      },
    },
  });
  await db.schema.createTable("lead_routes", (table) => {
    table.increments("id");
    for (const name of ["team_id", "campaign_id", "lead_source_id", "contact_source_id"]) table.integer(name);
    for (const name of ["distribution_target", "team_selection_method", "filter"]) table.string(name);
    table.integer("creator_user_id").index();
    table.timestamps(true, true);
  });
  const route = {
    team_id: 1, campaign_id: 1, lead_source_id: 2, contact_source_id: 1, distribution_target: "Team Rollout",
    team_selection_method: "Specific Team", filter: "Buyer", creator_user_id: 1,
  };
  for (let made = 0; made < count; made += BATCH) {
    await db("lead_routes").insert(Array(Math.min(BATCH, count - made)).fill(route));
  }
  const app = koa(feathers());
  app.use(errorHandler());
  app.use(bodyParser());
  app.configure(rest());
  app.use("lead-routes", new KnexService({ Model: db, name: "lead_routes", paginate: { default: 10, max: 50 } }));
  const server = await app.listen(0, "127.0.0.1");
  if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
  console.log(server.address().port);
  process.stdin.on("end", () => process.exit(0)).resume();
}

main();
