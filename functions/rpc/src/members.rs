//! The members of an answer, each rendered on its own.

use std::borrow::Cow;
use std::fmt::Display;

use quick_xml::se::Serializer as XmlSerializer;
use serde::de::value::Error;
use serde::ser::{Error as _, Impossible, SerializeStruct};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::response::Format;

/// The root element under which a member is rendered in XML; it is then removed.
const ROOT: &str = "Member";

/// The top-level members of an answer, rendered in one format.
///
/// [`crate::Envelope::success`] orders them and puts the `RequestId` among them: the vendor's order
/// differs between JSON and XML. Nested members keep the order of declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members(Vec<(Cow<'static, str>, String)>);

impl Members {
    /// Renders the members of `answer`, a struct.
    ///
    /// An absent member must be left out (`skip_serializing_if`): a null crashes the vendor's
    /// clients. Debug builds panic on a null at any depth.
    #[must_use]
    pub fn of<T: Serialize>(answer: &T, format: Format) -> Self {
        debug_assert!(
            serde_json::to_value(answer).is_ok_and(|answer| !has_null(&answer)),
            "an answer is JSON without null"
        );
        let members = answer.serialize(Top(format, Self::default()));
        debug_assert!(members.is_ok(), "an answer is a struct: {members:?}");
        members.unwrap_or_default()
    }

    /// Renders strings by their names.
    #[must_use]
    pub fn of_texts<'a>(
        texts: impl IntoIterator<Item = (&'a str, &'a str)>,
        format: Format,
    ) -> Self {
        let member = |(name, text): (&'a str, &'a str)| {
            (Cow::Owned(name.to_owned()), render_text(name, text, format))
        };
        Self(texts.into_iter().map(member).collect())
    }

    /// The member of this name: `"name":value` in JSON, its elements in XML.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|(known, rendered)| (known == name).then_some(&**rendered))
    }

    /// Whether each member is one of `names`.
    pub(crate) fn are_among(&self, names: &[&str]) -> bool {
        self.0.iter().all(|(name, _)| names.contains(&&**name))
    }
}

/// Renders a string member.
pub(crate) fn render_text(name: &str, text: &str, format: Format) -> String {
    let rendered = render(name, text, format);
    debug_assert!(rendered.is_ok(), "a text is rendered: {rendered:?}");
    rendered.unwrap_or_default()
}

/// Whether `value` holds a null at any depth.
fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Renders a member as the only one of a map and takes it out of the map.
fn render<T: Serialize + ?Sized>(name: &str, value: &T, format: Format) -> Result<String, Error> {
    fn custom(error: impl Display) -> Error {
        Error::custom(error)
    }
    let mut text;
    let (start_bytes, end_bytes) = match format {
        Format::Json => {
            let mut json = Vec::with_capacity(128);
            let mut serializer = serde_json::Serializer::new(&mut json);
            serializer.collect_map([(name, value)]).map_err(custom)?;
            text = String::from_utf8(json).map_err(custom)?;
            ("{".len(), "}".len())
        }
        Format::Xml => {
            text = String::with_capacity(128);
            let mut serializer = XmlSerializer::with_root(&mut text, Some(ROOT)).map_err(custom)?;
            // The vendor writes an empty string as `<Name></Name>`.
            serializer.expand_empty_elements(true);
            serializer.collect_map([(name, value)]).map_err(custom)?;
            ("<>".len() + ROOT.len(), "</>".len() + ROOT.len())
        }
    };
    text.truncate(text.len() - end_bytes);
    text.drain(..start_bytes);
    Ok(text)
}

/// Serializes an answer, a struct, by rendering each of its fields.
struct Top(Format, Members);

impl SerializeStruct for Top {
    type Ok = Members;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let Self(format, Members(members)) = self;
        members.push((Cow::Borrowed(name), render(name, value, *format)?));
        Ok(())
    }

    fn end(self) -> Result<Members, Error> {
        Ok(self.1)
    }
}

/// The methods of a [`Serializer`] for values that are no structs: they fail.
macro_rules! not_a_struct {
    ($($method:ident($($argument:ty),*) -> $ok:ty;)+) => {
        $(
            fn $method(self, $(_: $argument),*) -> Result<$ok, Error> {
                Err(Error::custom("not a struct"))
            }
        )+
    };
}

impl Serializer for Top {
    type Ok = Members;
    type Error = Error;
    type SerializeStruct = Self;
    type SerializeSeq = Impossible<Members, Error>;
    type SerializeTuple = Impossible<Members, Error>;
    type SerializeTupleStruct = Impossible<Members, Error>;
    type SerializeTupleVariant = Impossible<Members, Error>;
    type SerializeMap = Impossible<Members, Error>;
    type SerializeStructVariant = Impossible<Members, Error>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Members, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Members, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<Members, Error> {
        value.serialize(self)
    }

    not_a_struct! {
        serialize_bool(bool) -> Members;
        serialize_i8(i8) -> Members;
        serialize_i16(i16) -> Members;
        serialize_i32(i32) -> Members;
        serialize_i64(i64) -> Members;
        serialize_u8(u8) -> Members;
        serialize_u16(u16) -> Members;
        serialize_u32(u32) -> Members;
        serialize_u64(u64) -> Members;
        serialize_f32(f32) -> Members;
        serialize_f64(f64) -> Members;
        serialize_char(char) -> Members;
        serialize_str(&str) -> Members;
        serialize_bytes(&[u8]) -> Members;
        serialize_none() -> Members;
        serialize_unit() -> Members;
        serialize_unit_struct(&'static str) -> Members;
        serialize_unit_variant(&'static str, u32, &'static str) -> Members;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeStructVariant;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::Envelope;

    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        total_count: u32,
        kind: Kind,
        addresses: Addresses<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'a str>,
    }

    #[derive(Serialize)]
    enum Kind {
        Public,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Addresses<'a> {
        address: Vec<Address<'a>>,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Address<'a> {
        name: &'a str,
        is_managed: bool,
        bandwidth: Bandwidth,
        tags: Tags<'a>,
    }

    #[derive(Serialize)]
    struct Bandwidth {}

    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Tags<'a> {
        tag: &'a [&'a str],
    }

    fn answer<'a>(names: &'a [&'a str], note: Option<&'a str>) -> Answer<'a> {
        let address = |name: &&'a str| Address {
            name,
            is_managed: true,
            bandwidth: Bandwidth {},
            tags: Tags { tag: if name.is_empty() { &[] } else { &["x", "y"] } },
        };
        let addresses = Addresses { address: names.iter().map(address).collect() };
        Answer { total_count: 2, kind: Kind::Public, addresses, note }
    }

    fn body(format: Format, order: &[&str], members: &Members) -> String {
        let envelope =
            Envelope { format, request_id: "R", trace_id: "t", host_id: "h", product: "Vpc" };
        envelope.success("List", order, members).body
    }

    #[test]
    fn nested_answers_are_rendered_in_both_formats_each_in_its_order() {
        let answer = answer(&["a<&\"'>]]>", ""], None);
        let json = Members::of(&answer, Format::Json);
        assert_eq!(
            body(Format::Json, &["RequestId", "TotalCount", "Addresses", "Kind"], &json),
            r#"{"RequestId":"R","TotalCount":2,"Addresses":{"Address":[{"Name":"a<&\"'>]]>","IsManaged":true,"Bandwidth":{},"Tags":{"Tag":["x","y"]}},{"Name":"","IsManaged":true,"Bandwidth":{},"Tags":{"Tag":[]}}]},"Kind":"Public"}"#
        );
        let xml = Members::of(&answer, Format::Xml);
        assert_eq!(
            body(Format::Xml, &["Kind", "TotalCount", "Addresses", "RequestId"], &xml),
            "<?xml version='1.0' encoding='UTF-8'?><ListResponse><Kind>Public</Kind>\
             <TotalCount>2</TotalCount><Addresses>\
             <Address><Name>a&lt;&amp;\"'&gt;]]&gt;</Name><IsManaged>true</IsManaged>\
             <Bandwidth></Bandwidth><Tags><Tag>x</Tag><Tag>y</Tag></Tags></Address>\
             <Address><Name></Name><IsManaged>true</IsManaged><Bandwidth></Bandwidth><Tags></Tags>\
             </Address></Addresses><RequestId>R</RequestId></ListResponse>"
        );
    }

    #[test]
    fn an_empty_list_keeps_both_levels() {
        let answer = answer(&[], Some("n"));
        let order = ["Addresses", "Note"];
        let json = Members::of(&answer, Format::Json);
        let json = order.map(|name| json.get(name).unwrap().to_owned());
        assert_eq!(json, [r#""Addresses":{"Address":[]}"#, r#""Note":"n""#]);
        let xml = Members::of(&answer, Format::Xml);
        let xml = order.map(|name| xml.get(name).unwrap().to_owned());
        assert_eq!(xml, ["<Addresses></Addresses>", "<Note>n</Note>"]);
    }

    #[test]
    fn texts_are_rendered_as_the_members_of_a_struct_are() {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Texts {
            id: &'static str,
            empty: &'static str,
        }
        for format in [Format::Json, Format::Xml] {
            let texts = Members::of_texts([("Id", "a\"<é"), ("Empty", "")], format);
            assert_eq!(texts, Members::of(&Texts { id: "a\"<é", empty: "" }, format));
        }
    }

    #[test]
    #[should_panic(expected = "without null")]
    fn a_nested_null_is_a_defect() {
        #[derive(Serialize)]
        struct Deep {
            list: Vec<Option<u8>>,
        }
        drop(Members::of(&Deep { list: vec![Some(1), None] }, Format::Json));
    }

    #[test]
    #[should_panic(expected = "is a struct")]
    fn an_answer_must_be_a_struct() {
        drop(Members::of(&["a"], Format::Json));
    }

    #[test]
    #[should_panic(expected = "missing from the order")]
    fn a_member_that_the_order_does_not_name_is_a_defect() {
        drop(body(Format::Json, &["RequestId"], &Members::of(&answer(&[], None), Format::Json)));
    }
}
