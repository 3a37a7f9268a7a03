//! The banner at start: the endpoint's address, and a first call for each client.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;

use anstyle::{AnsiColor, Style};

use store::{AccessKey, AccessKeyStatus, Document, Holder};

use crate::backend::Backend;

const HEADING: Style = AnsiColor::Green.on_default().bold();
const NAME: Style = AnsiColor::Cyan.on_default();

/// An access key of a world for the first call.
pub(crate) fn usable_key(world: &[Document]) -> Option<&AccessKey> {
    let keys = world.iter().filter_map(|document| match document {
        Document::AccessKey(key) => Some(key.as_ref()),
        Document::Identity(_) | Document::Resource(_) => None,
    });
    // A RAM user may lack the permission, and a session expires.
    let mut keys = keys.filter(|key| key.status == AccessKeyStatus::Active);
    keys.find(|key| matches!(key.holder, Holder::Account))
}

/// Prints the endpoint's address and how to call it. `key_id` names a key of the world in the file; the
/// banner does not show that key's secret.
pub(crate) fn print(
    address: SocketAddr,
    world: Option<&Path>,
    key_id: Option<&str>,
    backend: &Backend,
) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{HEADING}Listening on http://{address}{HEADING:#}")?;
    writeln!(out, "Storage    {backend}")?;
    if let Some(world) = world {
        writeln!(out, "World      {}", world.display())?;
    }
    if let Some(id) = key_id {
        // Quoted for a shell: an id may have any characters.
        let quoted = id.replace('\'', r"'\''");
        writeln!(
            out,
            "\
Key        {NAME}{id}{NAME:#}; set ACCESS_KEY_SECRET to its secret

{HEADING}A first call{HEADING:#}

local-endpoint call DescribeIpv6Addresses RegionId=cn-huhehaote --endpoint http://{address} \\
  --access-key-id '{quoted}' --access-key-secret \"$ACCESS_KEY_SECRET\"
"
        )?;
    }
    if world.is_some() || backend.is_shared() {
        return out.flush();
    }
    writeln!(
        out,
        "\
Key        {NAME}testid{NAME:#} / {NAME}testsecret{NAME:#}
Region     {NAME}cn-huhehaote{NAME:#}, gateway {NAME}ipv6gw-demo{NAME:#}
Addresses  {NAME}ipv6-demo01{NAME:#} ... {NAME}ipv6-demo20{NAME:#}, without bandwidth
           One for each documented error: {NAME}ipv6-ula{NAME:#}, {NAME}ipv6-static-isp{NAME:#}, {NAME}ipv6-pending{NAME:#},
           {NAME}ipv6-without-gateway{NAME:#}, {NAME}ipv6-allocated{NAME:#}, {NAME}ipv6-released{NAME:#}, ...
Accounts   One for each error of accounts, with its own key: {NAME}cdt-not-opened{NAME:#}, {NAME}in-arrears{NAME:#}, ...
World      curl http://{address}/_control/world shows all of it
"
    )?;
    for (title, snippet) in snippets(address) {
        writeln!(out, "{HEADING}{title}{HEADING:#}\n\n{snippet}\n")?;
    }
    out.flush()
}

/// A first call for each client, each with another address.
fn snippets(address: SocketAddr) -> [(&'static str, String); 4] {
    [
        (
            "Python: pip install alibabacloud-vpc20160428",
            format!(
                "\
from alibabacloud_tea_openapi.models import Config
from alibabacloud_vpc20160428.client import Client
from alibabacloud_vpc20160428.models import AllocateIpv6InternetBandwidthRequest

client = Client(Config(access_key_id='testid', access_key_secret='testsecret',
                       protocol='http', endpoint='{address}'))
answer = client.allocate_ipv_6internet_bandwidth(AllocateIpv6InternetBandwidthRequest(
    region_id='cn-huhehaote', ipv_6address_id='ipv6-demo01', bandwidth=200))
print(answer.body.to_map())"
            ),
        ),
        (
            "Node: npm install @alicloud/vpc20160428 @alicloud/openapi-core",
            format!(
                "\
import vpc, {{ AllocateIpv6InternetBandwidthRequest }} from '@alicloud/vpc20160428';
import {{ $OpenApiUtil }} from '@alicloud/openapi-core';

const client = new vpc.default(new $OpenApiUtil.Config({{
  accessKeyId: 'testid', accessKeySecret: 'testsecret', protocol: 'http', endpoint: '{address}' }}));
const answer = await client.allocateIpv6InternetBandwidth(new AllocateIpv6InternetBandwidthRequest({{
  regionId: 'cn-huhehaote', ipv6AddressId: 'ipv6-demo02', bandwidth: 200 }}));
console.log(answer.body);"
            ),
        ),
        (
            "aliyun CLI: version 3",
            format!(
                "\
aliyun vpc AllocateIpv6InternetBandwidth --insecure --endpoint {address} --region cn-huhehaote \\
  --access-key-id testid --access-key-secret testsecret --mode AK \\
  --RegionId cn-huhehaote --Ipv6AddressId ipv6-demo03 --Bandwidth 200"
            ),
        ),
        (
            "Terraform: provider aliyun/alicloud",
            format!(
                "\
provider \"alicloud\" {{
  region                 = \"cn-huhehaote\"
  access_key             = \"testid\"
  secret_key             = \"testsecret\"
  account_type           = \"Domestic\"
  protocol               = \"HTTP\"
  skip_region_validation = true
  endpoints {{ vpc = \"{address}\" }}
}}

resource \"alicloud_vpc_ipv6_internet_bandwidth\" \"demo\" {{
  ipv6_gateway_id      = \"ipv6gw-demo\"
  ipv6_address_id      = \"ipv6-demo14\"
  internet_charge_type = \"PayByBandwidth\"
  bandwidth            = 200
}}"
            ),
        ),
    ]
}
