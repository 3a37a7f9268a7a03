//! What is done to a request before and after it is signed, as a text that reads and can be cut
//! anywhere:
//!
//! ```text
//! style V3
//! method POST
//! query RegionId=cn-huhehaote&Bandwidth=5
//! then insert query 3 x
//! ```

mod text;

pub use crate::case::Style;

/// A request, and what happens to it on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The operation; empty: any.
    pub action: String,
    /// How it is signed.
    pub style: Style,
    /// What it passes.
    pub shape: Shape,
    /// Which of [`super::KEYS`] signs.
    pub key: String,
    /// The method.
    pub method: String,
    /// The query, as it is sent.
    pub query: String,
    /// The body, as it is sent.
    pub body: String,
    /// More headers, which V3 signs.
    pub headers: Vec<(String, String)>,
    /// What is changed after it is signed.
    pub changes: Vec<Change>,
}

/// What makes the event of a request. Only kinds that lose nothing of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// API Gateway's HTTP API.
    #[default]
    HttpApi,
    /// API Gateway's REST API.
    RestApi,
    /// A load balancer with multi-value headers.
    Alb,
}

/// What is changed of a signed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Bytes of it.
    Edit(Place, Edit),
    /// The method.
    Method(String),
    /// A header is added, though one of its name may be there.
    AddHeader(String, String),
    /// All headers of a name are taken away.
    RemoveHeader(String),
    /// A parameter is added, as it would be sent.
    AddPair(Place, String),
    /// A parameter is taken away.
    RemovePair(Place, usize),
    /// A parameter is moved from the query to the form or from there to the query.
    MovePair(Place, usize),
    /// Two neighbouring parameters are swapped.
    SwapPair(Place, usize),
    /// A parameter is said again.
    RepeatPair(Place, usize),
    /// The parameters are encoded otherwise.
    Recode(Place),
}

/// A place in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The query string.
    Query,
    /// The body.
    Body,
    /// The header of this name.
    Header(String),
}

/// What is changed of a place; positions wrap around.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A text is put in.
    Insert(usize, String),
    /// A text is written over what is there.
    Set(usize, String),
    /// So many bytes are taken out.
    Delete(usize, usize),
}
