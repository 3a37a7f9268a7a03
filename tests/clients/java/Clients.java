import com.aliyun.tea.TeaException;
import com.aliyun.tea.TeaModel;
import com.aliyun.teaopenapi.models.Config;
import com.aliyuncs.DefaultAcsClient;
import com.aliyuncs.auth.BasicCredentials;
import com.aliyuncs.auth.BasicSessionCredentials;
import com.aliyuncs.auth.SignatureVersion;
import com.aliyuncs.auth.StaticCredentialsProvider;
import com.aliyuncs.auth.signers.SignatureAlgorithm;
import com.aliyuncs.exceptions.ClientException;
import com.aliyuncs.http.ProtocolType;
import com.aliyuncs.profile.DefaultProfile;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Drives the official Alibaba Cloud clients for Java through the life of an Internet bandwidth.
 *
 * <pre>java -cp 'jars/*' Clients.java 127.0.0.1:8787 127.0.0.1:8788</pre>
 *
 * Every client makes the same calls; each call prints one line: the client, the scenario, and the client's result with
 * its type, as JSON. The expected output is in expected.txt. The first endpoint needs the demo world; the second admits
 * no call.
 */
final class Clients {
    private static final String REGION = "cn-huhehaote";
    private static final String ALLOCATE = "AllocateIpv6InternetBandwidth";
    private static final String DESCRIBE = "DescribeIpv6Addresses";
    private static final String MODIFY = "ModifyIpv6InternetBandwidth";
    private static final String DELETE = "DeleteIpv6InternetBandwidth";
    private static final int TIMEOUT = 10_000; // ms
    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

    /** An access key; it has a token if it is a temporary one. */
    record Key(String id, String secret, String token) {
        Key(String id, String secret) {
            this(id, secret, null);
        }
    }

    /** A client under test: makes a call and returns the client's result. */
    interface Client {
        Object call(String endpoint, Key key, String action, Map<String, Object> parameters) throws Exception;
    }

    /** The current client. Its algorithm v2 is SignatureVersion=1.0. */
    static Client tea(String signatureAlgorithm) {
        return (endpoint, key, action, parameters) -> {
            var client = new com.aliyun.vpc20160428.Client(new Config()
                .setAccessKeyId(key.id).setAccessKeySecret(key.secret).setSecurityToken(key.token)
                .setType(key.token == null ? "access_key" : "sts")
                .setRegionId(REGION).setProtocol("http").setEndpoint(endpoint)
                .setSignatureAlgorithm(signatureAlgorithm)
                .setConnectTimeout(TIMEOUT).setReadTimeout(TIMEOUT));
            return switch (action) {
                case ALLOCATE -> client.allocateIpv6InternetBandwidth(TeaModel.build(parameters,
                    new com.aliyun.vpc20160428.models.AllocateIpv6InternetBandwidthRequest())).getBody();
                case DESCRIBE -> client.describeIpv6Addresses(TeaModel.build(parameters,
                    new com.aliyun.vpc20160428.models.DescribeIpv6AddressesRequest())).getBody();
                case MODIFY -> client.modifyIpv6InternetBandwidth(TeaModel.build(parameters,
                    new com.aliyun.vpc20160428.models.ModifyIpv6InternetBandwidthRequest())).getBody();
                default -> client.deleteIpv6InternetBandwidth(TeaModel.build(parameters,
                    new com.aliyun.vpc20160428.models.DeleteIpv6InternetBandwidthRequest())).getBody();
            };
        };
    }

    /** The older client. Without an algorithm it signs with HMAC-SHA1, its default. */
    static Client classic(SignatureAlgorithm algorithm) {
        return (endpoint, key, action, parameters) -> {
            var request = switch (action) {
                case ALLOCATE -> new com.aliyuncs.vpc.model.v20160428.AllocateIpv6InternetBandwidthRequest();
                case DESCRIBE -> new com.aliyuncs.vpc.model.v20160428.DescribeIpv6AddressesRequest();
                case MODIFY -> new com.aliyuncs.vpc.model.v20160428.ModifyIpv6InternetBandwidthRequest();
                default -> new com.aliyuncs.vpc.model.v20160428.DeleteIpv6InternetBandwidthRequest();
            };
            if (algorithm != null) {
                request.setSysSignatureVersion(SignatureVersion.V3);
                request.setSysSignatureAlgorithm(algorithm);
            }
            request.setSysEndpoint(endpoint);
            request.setSysProtocol(ProtocolType.HTTP);
            request.setSysConnectTimeout(TIMEOUT);
            request.setSysReadTimeout(TIMEOUT);
            parameters.forEach((name, value) -> request.putQueryParameter(name, value));
            var credentials = key.token == null
                ? new BasicCredentials(key.id, key.secret)
                : new BasicSessionCredentials(key.id, key.secret, key.token);
            var client =
                new DefaultAcsClient(DefaultProfile.getProfile(REGION), new StaticCredentialsProvider(credentials));
            try {
                return client.getAcsResponse(request);
            } finally {
                client.shutdown();
            }
        };
    }

    /** The part of an error that a program can read. */
    private static Map<String, Object> shown(Exception error) {
        var shown = new LinkedHashMap<String, Object>();
        if (error instanceof TeaException tea) {
            shown.put("code", tea.getCode());
            shown.put("statusCode", tea.getStatusCode());
            shown.put("message", tea.getMessage());
            shown.put("accessDeniedDetail", tea.getData().get("AccessDeniedDetail"));
        } else if (error instanceof ClientException classic) {
            shown.put("errCode", classic.getErrCode());
            shown.put("errMsg", classic.getErrMsg());
            shown.put("requestId", classic.getRequestId());
            shown.put("errorType", classic.getErrorType());
            shown.put("accessDeniedDetail", classic.getAccessDeniedDetail());
        } else {
            shown.put("message", error.getMessage());
        }
        return shown;
    }

    private final String name;
    private final Client client;
    private final String endpoint;
    private String bandwidth = "";

    private Clients(String name, Client client, String endpoint) {
        this.name = name;
        this.client = client;
        this.endpoint = endpoint;
    }

    private void attempt(String scenario, String action, Key key, Map<String, Object> parameters) {
        attempt(endpoint, scenario, action, key, parameters);
    }

    /** Makes a call and prints a line, in which the id of the bandwidth has a name that is the same in each run. */
    private void attempt(
            String endpoint, String scenario, String action, Key key, Map<String, Object> parameters) {
        Object handed;
        Object shown;
        try {
            handed = client.call(endpoint, key, action, parameters);
            shown = handed instanceof TeaModel model ? model.toMap() : handed;
            if (bandwidth.isEmpty() && action.equals(ALLOCATE)) {
                bandwidth = GSON.toJsonTree(shown).getAsJsonObject().entrySet().stream()
                    .filter(member -> member.getKey().equalsIgnoreCase("InternetBandwidthId"))
                    .map(member -> member.getValue().getAsString())
                    .findFirst().orElse("");
            }
        } catch (Exception error) { // whatever the client throws is a result
            handed = error;
            shown = shown(error);
        }
        String line = name + " " + scenario + " " + handed.getClass().getName() + " " + GSON.toJson(shown);
        System.out.println(bandwidth.isEmpty() ? line : line.replace(bandwidth, "{internetBandwidthId}"));
    }

    private static Map<String, Object> with(Map<String, Object> parameters, Object... others) {
        var all = new LinkedHashMap<>(parameters);
        for (int index = 0; index < others.length; index += 2) {
            all.put((String) others[index], others[index + 1]);
        }
        return all;
    }

    /** Drives the client through the life of a bandwidth, for an address without one. */
    private void live(String address, String throttling) {
        var good = new Key("testid", "testsecret");
        Map<String, Object> call = with(Map.of(), "RegionId", REGION, "Ipv6GatewayId", "ipv6gw-demo",
            "Ipv6AddressId", address, "InternetChargeType", "PayByBandwidth", "Bandwidth", 200);
        var bought = with(call, "ClientToken", name + "-token-1");
        // The request of Tea has no DryRun and leaves it out.
        if (name.startsWith("java-classic")) {
            attempt("dry-run", ALLOCATE, good, with(call, "DryRun", true));
        }
        attempt("allocate", ALLOCATE, good, bought);
        attempt("replay", ALLOCATE, good, bought);
        attempt("session", ALLOCATE, new Key("STS.demo", "testsecret", "testtoken"), bought);
        attempt("already-allocated", ALLOCATE, good, call);
        attempt("mismatch", ALLOCATE, good, with(bought, "Bandwidth", 300));
        attempt("not-found", ALLOCATE, good, with(call, "Ipv6AddressId", "ipv6-no-such-address"));
        attempt("unknown-region", ALLOCATE, good, with(call, "RegionId", "cn-nowhere"));

        // Clients differ in how they encode the odd characters.
        attempt("odd-name", DESCRIBE, good, with(Map.of(), "RegionId", REGION, "Name", "a b*c~d+e/(!')&=%"));
        var byBandwidth = with(Map.of(), "RegionId", REGION, "Ipv6InternetBandwidthId", bandwidth);
        attempt("describe", DESCRIBE, good, byBandwidth);
        var change = with(byBandwidth, "Bandwidth", 300L);
        attempt("modify", MODIFY, good, change);
        attempt("modify-illegal", MODIFY, good, with(byBandwidth, "Bandwidth", 0L));
        attempt("modify-denied", MODIFY, new Key("denied", "testsecret"), change);
        attempt("describe-modified", DESCRIBE, good, byBandwidth);
        attempt("delete", DELETE, good, byBandwidth);
        attempt("describe-gone", DESCRIBE, good, byBandwidth);
        attempt("modify-gone", MODIFY, good, change);
        attempt("delete-gone", DELETE, good, byBandwidth);

        attempt("wrong-secret", DESCRIBE, new Key("testid", "wrong"), byBandwidth);
        attempt("unknown-key", DESCRIBE, new Key("nobody", "testsecret"), byBandwidth);
        attempt("session-expired", DESCRIBE, new Key("STS.expired", "testsecret", "testtoken"), byBandwidth);
        attempt(throttling, "throttled", DESCRIBE, good, byBandwidth);
    }

    public static void main(String[] arguments) {
        String endpoint = arguments[0];
        String throttling = arguments[1];
        new Clients("java-tea", tea("ACS3-HMAC-SHA256"), endpoint).live("ipv6-demo05", throttling);
        new Clients("java-tea-sm3", tea("ACS3-HMAC-SM3"), endpoint).live("ipv6-demo06", throttling);
        new Clients("java-tea-v1", tea("v2"), endpoint).live("ipv6-demo07", throttling);
        new Clients("java-classic", classic(null), endpoint).live("ipv6-demo08", throttling);
        new Clients("java-classic-v3", classic(SignatureAlgorithm.ACS3_HMAC_SHA256), endpoint)
            .live("ipv6-demo08", throttling);
        new Clients("java-classic-sm3", classic(SignatureAlgorithm.ACS3_HMAC_SM3), endpoint)
            .live("ipv6-demo08", throttling);
    }
}
