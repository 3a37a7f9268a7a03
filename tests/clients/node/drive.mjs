// Drives the official Alibaba Cloud clients for Node.js against an endpoint of AllocateIpv6InternetBandwidth.
//
//     node drive.mjs --endpoint 127.0.0.1:8787 [--replaying-endpoint 127.0.0.1:8788]
//                    [--throttling-endpoint 127.0.0.1:8789] [--client NAME] [--address-prefix ipv6-demo]
//
// Every client makes the same calls; each call prints one JSON object per line. What must be printed is in
// ../expected.json. The endpoint needs the addresses ipv6-demo07 to ipv6-demo13 (one per client, without bandwidth),
// ipv6-released (known, but gone), the gateway ipv6gw-demo, and the keys of the demo world: testid, allowed, denied,
// disabled, STS.demo and STS.expired. The replaying endpoint answers what the endpoint answers to the same request sent
// a second time; the throttling one lets no call in. What needs one that is not given is left out.
import { parseArgs } from 'node:util';
import Vpc, { AllocateIpv6InternetBandwidthRequest } from '@alicloud/vpc20160428';
import { $OpenApiUtil } from '@alicloud/openapi-core';
import PopCore from '@alicloud/pop-core';
import RpcClient, { Config as RpcConfig } from '@alicloud/rpc-client';

// The clients read these when they make a request, and would send 127.0.0.1 through the proxy.
for (const variable of ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy']) {
  delete process.env[variable];
  delete process.env[variable.toUpperCase()];
}

const REGION = 'cn-huhehaote';
const VERSION = '2016-04-28';
const ACTION = 'AllocateIpv6InternetBandwidth';
const TIMEOUT = 10_000; // ms; all three clients give up after 3 s otherwise

// Each client: ({ endpoint, accessKeyId, accessKeySecret, securityToken }, parameters) -> { type, status, answer }

function tea(signatureAlgorithm) {
  return async (config, parameters) => {
    // The packages are CommonJS: seen from a module, their default export is one level down.
    const client = new Vpc.default(new $OpenApiUtil.Config({
      ...config, protocol: 'http', regionId: REGION, signatureAlgorithm, connectTimeout: TIMEOUT, readTimeout: TIMEOUT,
    }));
    const members = Object.entries(parameters).map(([name, value]) => [name[0].toLowerCase() + name.slice(1), value]);
    const request = new AllocateIpv6InternetBandwidthRequest(Object.fromEntries(members));
    const response = await client.allocateIpv6InternetBandwidth(request);
    return { type: response.constructor.name, status: response.statusCode, answer: response.body.toMap() };
  };
}

function popCore(method) {
  return async ({ endpoint, ...key }, parameters) => {
    const client = new PopCore({ ...key, endpoint: `http://${endpoint}`, apiVersion: VERSION });
    return untyped(await client.request(ACTION, parameters, { method, timeout: TIMEOUT }));
  };
}

// The names in `inQuery` go into the query, all others into the form body (which is sent chunked).
function rpcClient(inQuery) {
  return async (config, parameters) => {
    const client = new RpcClient.default(new RpcConfig({ ...config, protocol: 'http', regionId: REGION }));
    const query = {};
    const body = {};
    for (const [name, value] of Object.entries(parameters)) {
      (inQuery.includes(name) ? query : body)[name] = value;
    }
    const runtime = { connectTimeout: TIMEOUT, readTimeout: TIMEOUT };
    return untyped(await client.doRequest(ACTION, 'HTTP', 'POST', VERSION, 'AK', query, body, runtime));
  };
}

function untyped(answer) {
  return { type: answer.constructor?.name ?? 'Object', status: null, answer };
}

const CLIENTS = {
  'node-tea': tea(),
  'node-tea-v1': tea('v2'), // what this client calls v2 is SignatureVersion=1.0
  'node-tea-sm3': tea('ACS3-HMAC-SM3'), // as long as Node's own OpenSSL has SM3
  'pop-core-get': popCore('GET'),
  'pop-core-post': popCore('POST'), // everything in the form body, the Signature too
  'rpc-client': rpcClient([]),
  'rpc-client-split': rpcClient(['RegionId', 'Ipv6GatewayId', 'ClientToken']),
};

function key(accessKeyId, accessKeySecret, securityToken) {
  return { accessKeyId, accessKeySecret, securityToken };
}

// The scenarios in the order in which they must run: [name, parameters, key].
function scenarios(client, address) {
  const call = {
    RegionId: REGION,
    Ipv6GatewayId: 'ipv6gw-demo',
    Ipv6AddressId: address,
    InternetChargeType: 'PayByBandwidth',
    Bandwidth: 200,
    DryRun: false,
  };
  const token = { ClientToken: `${client}-token-1` };
  const good = key('testid', 'testsecret');
  return [
    ['dry-run', { ...call, Bandwidth: 100, DryRun: true }, good],
    ['allocate', { ...call, ...token }, good],
    ['replay', { ...call, ...token }, good],
    ['already-allocated', { ...call, ClientToken: `${client}-token-2` }, good],
    ['mismatch', { ...call, ...token, Bandwidth: 300 }, good],
    ['bad-bandwidth', { ...call, Bandwidth: 5000, InternetChargeType: 'PayByTraffic' }, good],
    ['not-found', { ...call, Ipv6AddressId: 'ipv6-no-such-address' }, good],
    ['released', { ...call, Ipv6AddressId: 'ipv6-released' }, good],
    ['unknown-region', { ...call, RegionId: 'cn-nowhere' }, good],
    ['wrong-secret', call, key('testid', 'wrong')],
    ['unknown-key', call, key('nobody', 'testsecret')],
    // Every character that one of the clients encodes in its own way. That the endpoint gets as far as to find
    // the bandwidth of "allocate" shows that it signed the same text.
    ['odd-token', { ...call, DryRun: true, ClientToken: "a b*c~d+e/(!')&=%" }, good],
    ['denied', call, key('denied', 'testsecret')],
    // A client token belongs to the account: whoever of it makes the call of "allocate" again gets that answer. So
    // these two succeed without an address of their own.
    ['allowed', { ...call, ...token }, key('allowed', 'testsecret')],
    ['session', { ...call, ...token }, key('STS.demo', 'testsecret', 'testtoken')],
    ['session-expired', call, key('STS.expired', 'testsecret', 'testtoken')],
    ['session-without-token', call, key('STS.demo', 'testsecret')],
    ['session-wrong-token', call, key('STS.demo', 'testsecret', 'othertoken')],
    ['session-wrong-secret', call, key('STS.demo', 'wrong', 'testtoken')],
    ['disabled', call, key('disabled', 'testsecret')],
    ['replayed', { ...call, ...token }, good],
    ['throttled', { ...call, ...token }, good],
  ];
}

async function run(call, config, parameters) {
  let result;
  try {
    result = await call(config, parameters);
  } catch (error) { // whatever the client throws is a result
    result = {
      outcome: 'error',
      exception: error.name,
      code: error.code ?? null,
      // Tea has statusCode and requestId; pop-core keeps the status with its record of the exchange; pop-core and
      // rpc-client hand over the members of the answer as data.
      status: error.statusCode ?? error.entry?.response.statusCode ?? null,
      message: error.message,
      requestId: error.requestId ?? error.data?.RequestId ?? null,
    };
    // Tea has these itself, and only with some errors; the others hand the first over among the data.
    const inData = error.accessDeniedDetail ? undefined : error.data?.AccessDeniedDetail;
    const details = {
      'accessDeniedDetail': error.accessDeniedDetail,
      'data.AccessDeniedDetail': inData,
      'retryAfter': error.retryAfter,
    };
    for (const [name, detail] of Object.entries(details)) {
      if (detail !== undefined && detail !== null) result[name] = detail;
    }
    return result;
  }
  const { type, status, answer } = result;
  const { Ipv6AddressId = null, InternetBandwidthId = null, RequestId = null } = answer;
  return { outcome: 'success', type, status, Ipv6AddressId, InternetBandwidthId, RequestId };
}

const { values: options } = parseArgs({
  options: {
    'endpoint': { type: 'string' },
    'replaying-endpoint': { type: 'string' },
    'throttling-endpoint': { type: 'string' },
    'client': { type: 'string' },
    'address-prefix': { type: 'string', default: 'ipv6-demo' },
  },
});
if (!options.endpoint) throw new Error('--endpoint HOST:PORT is missing');
if (options.client && !(options.client in CLIENTS)) {
  throw new Error(`--client is one of ${Object.keys(CLIENTS).join(', ')}`);
}

// The scenarios that are not for the endpoint itself.
const ELSEWHERE = { replayed: options['replaying-endpoint'], throttled: options['throttling-endpoint'] };

const FIRST_ADDRESS = 7; // 01 to 06 belong to the Python clients
for (const [index, [client, call]] of Object.entries(CLIENTS).entries()) {
  if (options.client && options.client !== client) continue;
  const address = options['address-prefix'] + String(FIRST_ADDRESS + index).padStart(2, '0');
  for (const [scenario, parameters, accessKey] of scenarios(client, address)) {
    const endpoint = scenario in ELSEWHERE ? ELSEWHERE[scenario] : options.endpoint;
    if (!endpoint) continue;
    const config = { endpoint, ...accessKey };
    console.log(JSON.stringify({ client, scenario, ...await run(call, config, parameters) }));
  }
}
