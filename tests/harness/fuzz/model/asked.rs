//! What a call asks for, and every rule that it breaks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::gate;
use super::{Broken, Call, MISMATCH, Purchase, REGIONS, Remembered, State, TokenKey};

/// What a call asks for, as it reads.
pub(super) struct Asked<'a> {
    pub(super) parameters: BTreeMap<&'a str, &'a str>,
    pub(super) account: Option<Value>,
    pub(super) address: Option<Value>,
    pub(super) gateway_id: Option<String>,
}

impl<'a> Asked<'a> {
    pub(super) fn read(state: &State<'_>, call: &'a Call) -> Self {
        let mut parameters = gate::merged(call);
        // What is sent empty counts as left out (decision `empty-optional`).
        parameters.retain(|_, value| !value.is_empty());
        let account = gate::account_of(&state.world, &call.access_key_id).cloned();
        let of = |name: &str| account.as_ref().and_then(|account| account[name].as_array());
        let is_asked = |address: &&Value| {
            address["Ipv6AddressId"].as_str() == parameters.get("Ipv6AddressId").copied()
                && address["RegionId"].as_str() == parameters.get("RegionId").copied()
        };
        let address = of("Ipv6Addresses").into_iter().flatten().find(is_asked).cloned();
        let serves = |gateway: &&Value| {
            // A VPC is in one region.
            address.as_ref().is_some_and(|address| {
                ["VpcId", "RegionId"].iter().all(|name| gateway[name] == address[name])
            })
        };
        let gateway = of("Ipv6Gateways").into_iter().flatten().find(serves);
        let gateway_id = gateway.and_then(|gateway| gateway["Ipv6GatewayId"].as_str());
        let gateway_id = gateway_id.map(str::to_owned);
        Self { parameters, account, address, gateway_id }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).copied()
    }

    pub(super) fn charge_type(&self) -> &str {
        self.get("InternetChargeType").unwrap_or("PayByBandwidth")
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.get("DryRun").is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    pub(super) fn account_id(&self) -> &str {
        let account = self.account.as_ref();
        account.and_then(|account| account["AccountId"].as_str()).unwrap_or_default()
    }

    pub(super) fn token_key(&self) -> Option<TokenKey> {
        let [region, token] = ["RegionId", "ClientToken"].map(|name| self.get(name));
        Some((self.account_id().to_owned(), region?.to_owned(), token?.to_owned()))
    }

    /// The parameters with their defaults, as a token remembers them.
    pub(super) fn with_defaults(&self) -> Value {
        json!({
            "Ipv6AddressId": self.get("Ipv6AddressId"),
            "Ipv6GatewayId": self.get("Ipv6GatewayId").or(self.gateway_id.as_deref()),
            "InternetChargeType": self.charge_type(),
            "Bandwidth": self.get("Bandwidth"),
        })
    }

    /// What the call's token stands for, if it does and the call says the same.
    pub(super) fn remembered<'s>(&self, state: &'s State<'_>) -> Option<&'s Remembered> {
        let remembered = state.tokens.get(&self.token_key()?)?;
        (remembered.expires_secs > state.now_secs).then_some(remembered)
    }

    pub(super) fn purchase(&self) -> Purchase {
        Purchase {
            address_id: self.get("Ipv6AddressId").unwrap_or_default().to_owned(),
            charge_type: self.charge_type().to_owned(),
            mbps: self.get("Bandwidth").and_then(|text| text.parse().ok()).unwrap_or_default(),
            token: (
                self.account_id().to_owned(),
                self.get("RegionId").unwrap_or_default().to_owned(),
                self.get("ClientToken").map(str::to_owned),
            ),
            parameters: self.with_defaults(),
        }
    }

    /// The rules of the operation that the call breaks.
    pub(super) fn broken(&self, state: &State<'_>) -> Vec<Broken> {
        let mut all = Vec::new();
        let mut add = |code: &str, is_broken: bool| {
            if is_broken {
                let row = state.table.row(code);
                let message = row.map(|row| row.message.clone()).unwrap_or_default();
                let id = self.get("Ipv6AddressId").unwrap_or_default();
                let message = message.replace("{Ipv6AddressId}", id);
                let rank = (state.table.operation_rank(code), 0);
                all.push(Broken { rank, code: code.to_owned(), message });
            }
        };
        self.forms(state, &mut add);
        let other = |remembered: &Remembered| {
            self.is_dry_run() || remembered.parameters != self.with_defaults_of(remembered)
        };
        add(MISMATCH, self.remembered(state).is_some_and(other));
        add("InvalidIpv6Instance.NotFound", self.address.is_none());
        if let Some(address) = &self.address {
            self.of_address(state, address, &mut add);
        }
        let billing = self.account.as_ref().and_then(|account| account.get("Billing"));
        add("OperationFailed.QueryAccountInfo", billing.is_none());
        if let Some(billing) = billing {
            let by_traffic = self.charge_type() == "PayByTraffic";
            let is_cdt = |status: &str| by_traffic && billing["CdtStatus"] == *status;
            add("OperationFailed.OpenCdtServiceFirst", is_cdt("NotOpened"));
            add("OperationFailed.UpgradeCdtServiceFirst", is_cdt("Opened"));
            add("OperationFailed.SaleValidate", billing["SaleStatus"] != "Allowed");
        }
        add("DryRunOperation", self.is_dry_run());
        all
    }

    /// The same as the earlier call would have said by leaving the gateway out.
    pub(super) fn with_defaults_of(&self, remembered: &Remembered) -> Value {
        let mut parameters = self.with_defaults();
        if self.get("Ipv6GatewayId").is_none() {
            parameters["Ipv6GatewayId"] = remembered.parameters["Ipv6GatewayId"].clone();
        }
        parameters
    }

    pub(super) fn forms(&self, state: &State<'_>, add: &mut impl FnMut(&str, bool)) {
        let table = state.table;
        let region = self.get("RegionId");
        add("MissingRegionId", region.is_none());
        add("InvalidRegionId.NotFound", region.is_some_and(|id| !REGIONS.contains(&id)));
        let address_id = self.get("Ipv6AddressId");
        add("MissingParam.Ipv6InstanceId", address_id.is_none());
        add("IllegalParam.Ipv6Address", address_id.is_some_and(|id| !table.is_address_id(id)));
        let bandwidth = self.get("Bandwidth");
        add("MissingBandwidth", bandwidth.is_none());
        let older = table.older_names().iter().filter_map(|name| self.get(name));
        let older: Vec<&str> = older.collect();
        let is_other = |value: &&str| !["PostPaid", "PrePaid"].contains(value);
        add("IllegalParam.ChargeType", older.iter().any(is_other));
        add("OperationUnsupported.PrePaid", older.contains(&"PrePaid"));
        let limits = table.limits(self.charge_type());
        add("IllegalParam.InternetChargeType", limits.is_none());
        let is_within = |text: &str| {
            let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let is_plain = is_digits && !text.starts_with('0');
            let mbps = text.parse::<u64>().ok().filter(|_| is_plain);
            let fits = |(least, most)| mbps.is_some_and(|mbps| (least..=most).contains(&mbps));
            limits.is_some_and(fits)
        };
        add("IllegalParam.Bandwidth", bandwidth.is_some_and(|text| !is_within(text)));
        let is_token = |text: &str| text.is_ascii() && text.len() <= table.token_chars_max();
        let token = self.get("ClientToken");
        add("InvalidClientToken.ValueNotSupported", token.is_some_and(|text| !is_token(text)));
        let is_boolean =
            |text: &str| ["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word));
        add("InvalidDryRun", self.get("DryRun").is_some_and(|text| !is_boolean(text)));
    }

    pub(super) fn of_address(
        &self,
        state: &State<'_>,
        address: &Value,
        add: &mut impl FnMut(&str, bool),
    ) {
        let text = |name: &str| address[name].as_str().unwrap_or_default();
        let status = address["Status"].as_str().unwrap_or("Available");
        add("ResourceNotFound.Ipv6Address", status == "Released");
        add("IncorrectStatus.Ipv6Instance", status != "Available");
        let ip = text("Ipv6Address").parse::<std::net::Ipv6Addr>();
        let is_local = ip.is_ok_and(|ip| ip.octets()[0] & 0xfe == 0xfc);
        add("OperationUnsupported.ULA", is_local);
        add("OperationUnsupported.PrivateGUA", address["PrivateGua"] == true);
        let attached = address["AssociatedInstanceType"].as_str();
        let is_cloud =
            attached.is_some_and(|to| !["EcsInstance", "NetworkInterface"].contains(&to));
        add("OperationDenied.UnSupportedBindTypeCloudInstance", is_cloud);
        add("OperationFailed.Ipv6GatewayNotExist", self.gateway_id.is_none());
        let named = self.get("Ipv6GatewayId");
        let is_other = named.is_some() && named != self.gateway_id.as_deref();
        add("OperationFailed.Ipv6GatewayDisMatchIpv6Address", is_other);
        let has = state.bandwidths.contains_key(text("Ipv6AddressId"));
        add("OperationFailed.InternetBandwidthAlreadyExisted", has);
        let by_traffic = self.charge_type() == "PayByTraffic";
        let is_free = attached.is_none();
        add("UnsupportedFeature.InternetChargeTypeOnFreeIpv6Address", is_free && by_traffic);
        let is_single = !["", "BGP"].contains(&text("Ipv6Isp"));
        add("UnsupportedFeature.InternetChargeTypeOnStaticIsp", is_single && by_traffic);
    }
}
