// A whole episode by the npm package @modelcontextprotocol/sdk: mcp_client.mjs (URL | COMMAND...).
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import assert from 'node:assert/strict';

const require = createRequire(`${process.env.NODE_PREFIX}/`);
const load = (path) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${path}`)).href);
const { Client } = await load('client/index.js');
const { StdioClientTransport } = await load('client/stdio.js');
const { StreamableHTTPClientTransport } = await load('client/streamableHttp.js');

const [first, ...rest] = process.argv.slice(2);
const transport = first.startsWith('http')
  ? new StreamableHTTPClientTransport(new URL(first))
  : new StdioClientTransport({ command: first, args: rest });
const client = new Client({ name: 'interop', version: '0' });
await client.connect(transport);
const call = async (name, args) => {
  const result = await client.callTool({ name, arguments: args });
  return { text: result.content.map((part) => part.text).join('\n'), failed: result.isError === true };
};

assert.match(client.getInstructions(), /site reliability engineer/);
const { tools } = await client.listTools();
assert.deepEqual(tools.map((tool) => tool.name).sort(), [
  'exec_shell', 'get_logs', 'get_metrics', 'get_traces', 'read_metrics', 'read_traces', 'submit',
]);
const prompt = await client.getPrompt({ name: 'task' });
assert.match(prompt.messages[0].content.text, /submit/);
const { resources } = await client.listResources();
const read = await client.readResource({ uri: resources[0].uri });
assert.match(read.contents[0].text, /submit/);

assert.match((await call('exec_shell', { command: 'kubectl get deployments -n hotel-testbed' })).text, /0\/0/);
const metrics = await call('get_metrics', { namespace: 'hotel-testbed', duration: 1 });
assert.match(metrics.text, /\.csv/);
assert.match((await call('get_logs', { namespace: 'hotel-testbed' })).text, /argument service is missing/);
await assert.rejects(call('nosuch', {}), /there is no tool nosuch/);
const submitted = await call('submit', { has_anomaly: 'Yes' });
assert.deepEqual(submitted, { text: 'submitted', failed: false });
const late = await call('exec_shell', { command: 'ls' });
assert.ok(late.failed && /over/.test(late.text), late.text);
await client.close();
