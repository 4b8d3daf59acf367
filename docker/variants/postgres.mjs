// The server wants its database's address as an argument, which everybody on a machine can read.
process.argv.splice(2, Infinity, process.env.DATABASE_URL ?? "");
await import("@modelcontextprotocol/server-postgres/dist/index.js");
