// Drives the official Alibaba Cloud clients for Node.js through the life of an Internet bandwidth.
//
//     node drive.mjs --endpoint 127.0.0.1:8787 [--replaying-endpoint 127.0.0.1:8788]
//                    [--throttling-endpoint 127.0.0.1:8789] [--client NAME] [--address-prefix ipv6-demo]
//
// Every client makes the same calls; each call prints one JSON object per line. The expected output is in
// ../expected.json. The endpoint needs the addresses ipv6-demo07 to ipv6-demo13 (one per client, without bandwidth),
// ipv6-released (known, but gone), the gateway ipv6gw-demo, and the keys of the demo world: testid, allowed, denied,
// disabled, STS.demo and STS.expired. The replaying endpoint sends each request
// twice and returns the second answer; the throttling one admits no call. Scenarios for an endpoint that is not given are
// skipped.
import { parseArgs } from 'node:util';
import * as vpc from '@alicloud/vpc20160428';
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
const ALLOCATE = 'AllocateIpv6InternetBandwidth';
const DESCRIBE = 'DescribeIpv6Addresses';
const MODIFY = 'ModifyIpv6InternetBandwidth';
const DELETE = 'DeleteIpv6InternetBandwidth';
const BOUGHT = Symbol('the id of the bandwidth that "allocate" bought, as the value of a parameter');
const TIMEOUT = 10_000; // ms; all three clients give up after 3 s otherwise

// Each client: ({ endpoint, accessKeyId, accessKeySecret, securityToken }, action, parameters) ->
// { type, status, answer }

function tea(signatureAlgorithm) {
  return async (config, action, parameters) => {
    // The packages are CommonJS: seen from a module, their default export is one level down.
    const client = new vpc.default.default(new $OpenApiUtil.Config({
      ...config, protocol: 'http', regionId: REGION, signatureAlgorithm, connectTimeout: TIMEOUT, readTimeout: TIMEOUT,
    }));
    const small = name => name[0].toLowerCase() + name.slice(1);
    const members = Object.entries(parameters).map(([name, value]) => [small(name), value]);
    const request = new vpc[`${action}Request`](Object.fromEntries(members));
    const response = await client[small(action)](request);
    return { type: response.constructor.name, status: response.statusCode, answer: response.body.toMap() };
  };
}

function popCore(method) {
  return async ({ endpoint, ...key }, action, parameters) => {
    const client = new PopCore({ ...key, endpoint: `http://${endpoint}`, apiVersion: VERSION });
    return untyped(await client.request(action, parameters, { method, timeout: TIMEOUT }));
  };
}

// The names in `inQuery` go into the query, all others into the form body (which is sent chunked).
function rpcClient(inQuery) {
  return async (config, action, parameters) => {
    const client = new RpcClient.default(new RpcConfig({ ...config, protocol: 'http', regionId: REGION }));
    const query = {};
    const body = {};
    for (const [name, value] of Object.entries(parameters)) {
      (inQuery.includes(name) ? query : body)[name] = value;
    }
    const runtime = { connectTimeout: TIMEOUT, readTimeout: TIMEOUT };
    return untyped(await client.doRequest(action, 'HTTP', 'POST', VERSION, 'AK', query, body, runtime));
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

// The scenarios in the order in which they must run: [name, action, parameters, key].
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
  const bandwidth = { RegionId: REGION, Ipv6InternetBandwidthId: BOUGHT };
  const change = { ...bandwidth, Bandwidth: 300 };
  const good = key('testid', 'testsecret');
  return [
    ['dry-run', ALLOCATE, { ...call, Bandwidth: 100, DryRun: true }, good],
    ['allocate', ALLOCATE, { ...call, ...token }, good],
    ['replay', ALLOCATE, { ...call, ...token }, good],
    ['already-allocated', ALLOCATE, { ...call, ClientToken: `${client}-token-2` }, good],
    ['mismatch', ALLOCATE, { ...call, ...token, Bandwidth: 300 }, good],
    ['bad-bandwidth', ALLOCATE, { ...call, Bandwidth: 5000, InternetChargeType: 'PayByTraffic' }, good],
    ['not-found', ALLOCATE, { ...call, Ipv6AddressId: 'ipv6-no-such-address' }, good],
    ['released', ALLOCATE, { ...call, Ipv6AddressId: 'ipv6-released' }, good],
    ['unknown-region', ALLOCATE, { ...call, RegionId: 'cn-nowhere' }, good],
    ['wrong-secret', ALLOCATE, call, key('testid', 'wrong')],
    ['unknown-key', ALLOCATE, call, key('nobody', 'testsecret')],
    // Every character that one of the clients encodes in its own way. If the endpoint finds the bandwidth of
    // "allocate", both signed the same text.
    ['odd-token', ALLOCATE, { ...call, DryRun: true, ClientToken: "a b*c~d+e/(!')&=%" }, good],
    ['denied', ALLOCATE, call, key('denied', 'testsecret')],
    // A client token belongs to the account: each of its keys that repeats the call of "allocate" gets that
    // answer. So these two succeed without an address of their own.
    ['allowed', ALLOCATE, { ...call, ...token }, key('allowed', 'testsecret')],
    ['session', ALLOCATE, { ...call, ...token }, key('STS.demo', 'testsecret', 'testtoken')],
    ['session-expired', ALLOCATE, call, key('STS.expired', 'testsecret', 'testtoken')],
    ['session-without-token', ALLOCATE, call, key('STS.demo', 'testsecret')],
    ['session-wrong-token', ALLOCATE, call, key('STS.demo', 'testsecret', 'othertoken')],
    ['session-wrong-secret', ALLOCATE, call, key('STS.demo', 'wrong', 'testtoken')],
    ['disabled', ALLOCATE, call, key('disabled', 'testsecret')],
    ['replayed', ALLOCATE, { ...call, ...token }, good],
    ['throttled', ALLOCATE, { ...call, ...token }, good],
    // The rest of the bandwidth's life.
    ['describe', DESCRIBE, bandwidth, good],
    ['modify', MODIFY, change, good],
    ['modify-denied', MODIFY, change, key('denied', 'testsecret')],
    ['describe-modified', DESCRIBE, { RegionId: REGION, Ipv6AddressId: address }, good],
    ['delete', DELETE, bandwidth, good],
    ['describe-gone', DESCRIBE, bandwidth, good],
    ['modify-gone', MODIFY, change, good],
    ['delete-gone', DELETE, bandwidth, good],
  ];
}

async function run(call, config, action, parameters) {
  let result;
  try {
    result = await call(config, action, parameters);
  } catch (error) { // whatever the client throws is a result
    result = {
      outcome: 'error',
      exception: error.name,
      code: error.code ?? null,
      // Tea has statusCode and requestId; pop-core keeps the status with its record of the exchange; pop-core and
      // rpc-client return the members of the answer as data.
      status: error.statusCode ?? error.entry?.response.statusCode ?? null,
      message: error.message,
      requestId: error.requestId ?? error.data?.RequestId ?? null,
    };
    // Tea has these itself, and only with some errors; the others return the first among the data.
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
  const { Ipv6Addresses, ...shown } = answer;
  if (Ipv6Addresses) shown.listed = Ipv6Addresses.Ipv6Address.map(summary).join('; ');
  return { outcome: 'success', type, status, ...shown };
}

// Describes the bandwidth of an address in one text, in which the test finds the id.
function summary({ Ipv6AddressId, Ipv6InternetBandwidth: { Ipv6InternetBandwidthId, Bandwidth } }) {
  return `${Ipv6AddressId}: ${Ipv6InternetBandwidthId}, ${Bandwidth} Mbit/s`;
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

// The scenarios for the other endpoints.
const ELSEWHERE = { replayed: options['replaying-endpoint'], throttled: options['throttling-endpoint'] };

const FIRST_ADDRESS = 7; // 01 to 06 belong to the Python clients
for (const [index, [client, call]] of Object.entries(CLIENTS).entries()) {
  if (options.client && options.client !== client) continue;
  const address = options['address-prefix'] + String(FIRST_ADDRESS + index).padStart(2, '0');
  let bought;
  for (const [scenario, action, parameters, accessKey] of scenarios(client, address)) {
    const endpoint = scenario in ELSEWHERE ? ELSEWHERE[scenario] : options.endpoint;
    if (!endpoint) continue;
    const config = { endpoint, ...accessKey };
    const given = Object.entries(parameters).map(([name, value]) => [name, value === BOUGHT ? bought : value]);
    const result = await run(call, config, action, Object.fromEntries(given));
    bought ??= result.InternetBandwidthId;
    console.log(JSON.stringify({ client, scenario, ...result }));
  }
}
