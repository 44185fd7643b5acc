// Vercel's ai-sdk 1.x: tools over both transports, without a complaint.
//
//     ai_sdk.mjs http|sse URL KEY
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [how, url, key] = process.argv.slice(2);
const complaints = [];
for (const level of ["error", "warn"]) console[level] = (...words) => complaints.push(words.map(String).join(" "));

const require = createRequire(`${process.env.SESSION_MODULES}/`);
const { experimental_createMCPClient: create } = await import(pathToFileURL(require.resolve("@ai-sdk/mcp")));
const client = await create({
  transport: { type: how, url, headers: { Authorization: `Bearer ${key}` } },
  onUncaughtError: (error) => complaints.push(String(error)),
});
const tools = await client.tools();
if (!tools.collect_telemetry_context) throw new Error(`the tools are ${Object.keys(tools)}`);
for (const message of ["one", "two"]) {
  const answer = await tools.echo.execute({ message }, { toolCallId: message, messages: [] });
  if (answer.content[0].text !== message) throw new Error(JSON.stringify(answer));
}
await client.close();
// Of its own revision it does not know the empty event that begins a stream; it listens before it has a session; and it
// complains of the end that it made itself. Each once, and without harm.
const KNOWN = [
  /GET SSE failed: 4\d\d/,
  /^MCPClientError: MCP HTTP Transport Error: Failed to parse message/,
  /^AbortError: This operation was aborted/,
];
const known = complaints.filter((complaint) => KNOWN.some((pattern) => pattern.test(complaint)));
if (complaints.length > known.length || known.length > KNOWN.length) throw new Error(complaints.join("\n"));
process.stdout.write("fine\n");
