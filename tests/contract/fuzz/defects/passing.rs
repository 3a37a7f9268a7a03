//! An answer that passes through the proxy.

use std::collections::BTreeMap;

/// An answer on its way to the client.
pub(super) struct Passing {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Passing {
    pub(super) fn is_xml(&self) -> bool {
        self.body.starts_with("<?xml")
    }

    /// The text of an element.
    pub(super) fn element(&self, name: &str) -> Option<String> {
        let (before, after) = if self.is_xml() {
            (format!("<{name}>"), "<")
        } else {
            (format!("\"{name}\":\""), "\"")
        };
        let (_, rest) = self.body.split_once(&before)?;
        Some(rest.split(after).next()?.to_owned())
    }

    pub(super) fn has_code(&self, code: &str) -> bool {
        self.element("Code").as_deref() == Some(code)
    }

    pub(super) fn replace(&mut self, from: &str, to: &str) {
        self.body = self.body.replace(from, to);
    }

    /// Replaces the answer with a success.
    pub(super) fn succeed(&mut self, address: &str, bandwidth: &str) {
        let id = self.element("RequestId").unwrap_or_default();
        self.status = 200;
        let elements =
            [("Ipv6AddressId", address), ("RequestId", &id), ("InternetBandwidthId", bandwidth)];
        self.write(&format!("{}Response", suites::support::ALLOCATE), &elements);
    }

    /// Replaces the answer with an error.
    pub(super) fn fail(&mut self, code: &str) {
        let id = self.element("RequestId").unwrap_or_default();
        self.status = 400;
        let recommend =
            format!("https://api.aliyun.com/troubleshoot?q={code}&product=Vpc&requestId={id}");
        let elements = [
            ("RequestId", id.as_str()),
            ("HostId", harness::client::HOST),
            ("Code", code),
            ("Message", "The operation is failed."),
            ("Recommend", &recommend.replace('&', if self.is_xml() { "&amp;" } else { "&" })),
        ];
        self.write("Error", &elements);
    }

    fn write(&mut self, root: &str, elements: &[(&str, &str)]) {
        self.body = if self.is_xml() {
            let elements = elements.iter().map(|(name, text)| format!("<{name}>{text}</{name}>"));
            let elements = elements.collect::<Vec<_>>().concat();
            format!("<?xml version='1.0' encoding='UTF-8'?><{root}>{elements}</{root}>")
        } else {
            serde_json::json!(elements.iter().copied().collect::<BTreeMap<_, _>>()).to_string()
        };
    }
}
