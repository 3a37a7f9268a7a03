//! Answers a call, with the fault that a test suite planned for it.

use std::time::Duration;

use http::StatusCode;
use ipv6_gateway::allocation::error::SYSTEM_BUSY;
use ipv6_gateway::event::Shape;
use ipv6_gateway::rpc::signature::Signed;
use ipv6_gateway::rpc::{self, Call, Envelope};
use ipv6_gateway::{API, Event, RateLimit, Response};
use tokio::time::sleep;

use crate::endpoint::Endpoint;
use crate::fault::{FAULT, Fault, error_row, gateway_error, refusal};

/// Has the function answer `event`, with the planned fault applied; `None`: the connection is to be
/// broken. A call that does not reach the fault leaves it to the next.
pub(crate) async fn answer(endpoint: &Endpoint, event: Event) -> Option<Response> {
    let (function, plan) = (&endpoint.function, &endpoint.plan);
    let call = (!plan.is_empty()).then(|| Call::read(event.request.clone()));
    let taken = call.and_then(|call| Some((plan.take(&call.action()?)?, call)));
    let Some((taken, call)) = taken else { return Some(function.handle(event).await) };
    let (answer, is_reached) = match &taken.fault {
        Fault::Delay { milliseconds } => {
            sleep(Duration::from_millis(*milliseconds)).await;
            (function.handle(event).await, true)
        }
        Fault::BreakBeforeCommit => return None,
        Fault::BreakAfterCommit => {
            let answer = function.handle(event).await;
            if is_success(&answer) {
                return None;
            }
            (answer, false)
        }
        Fault::AnswerAfterCommit { code, id } => {
            let answer = function.handle(event).await;
            match operations_fault(endpoint, &call, code, id.as_deref()) {
                Some(fault) if is_success(&answer) => {
                    let ids = ["x-acs-request-id", "x-acs-trace-id"].map(|id| header(&answer, id));
                    (failure(&call, ids[0], ids[1], &fault), true)
                }
                _ => (answer, false),
            }
        }
        Fault::Answer { code, .. } if gateway_error(code).is_some() => {
            match gateway_fault(endpoint, &call, code) {
                Some(fault) => {
                    let ids = function.ids();
                    (failure(&call, &ids.request_id(), &ids.trace_id(), &fault), true)
                }
                None => (function.handle(event).await, false),
            }
        }
        fault @ (Fault::Answer { .. } | Fault::StoreUnavailable | Fault::StorePanics) => {
            let code = match fault {
                Fault::Answer { code, .. } => code,
                Fault::StorePanics => rpc::error::INTERNAL_ERROR.code,
                _ => SYSTEM_BUSY.code,
            };
            let answer = FAULT.scope(fault.clone(), function.handle(event)).await;
            let is_reached = has_code(&answer, code);
            (answer, is_reached)
        }
    };
    if !is_reached {
        plan.give_back(taken);
    }
    Some(answer)
}

fn is_success(answer: &Response) -> bool {
    answer.status_code == StatusCode::OK.as_u16()
}

fn has_code(answer: &Response, code: &str) -> bool {
    let forms = [format!("\"Code\":\"{code}\""), format!("<Code>{code}</Code>")];
    forms.iter().any(|form| answer.body.contains(form))
}

/// The planned error that comes before any operation, as the function would answer it to the call;
/// `None` if the call is refused before that.
fn gateway_fault(endpoint: &Endpoint, call: &Call, code: &str) -> Option<rpc::Fault> {
    let (function, now_secs) = (&endpoint.function, endpoint.clock.now_secs());
    call.route(&API, |name| function.operations().route(name)).ok()?;
    let code = gateway_error(code)?;
    let error = if code == rpc::error::SIGNATURE_DOES_NOT_MATCH {
        // With what the function would have signed; nobody has this secret.
        Signed::read(call, now_secs).ok()?.verify("").err()?
    } else {
        code.into()
    };
    let mut fault = rpc::Fault::from(&error);
    if code == rpc::error::THROTTLING_USER {
        let limit = function.rate_limit().unwrap_or(RateLimit::DOCUMENTED);
        fault.headers = limit.headers_over(now_secs);
    }
    Some(fault)
}

/// The documented error `code` of the operation that a call names.
fn operations_fault(
    endpoint: &Endpoint,
    call: &Call,
    code: &str,
    id: Option<&str>,
) -> Option<rpc::Fault> {
    let row = error_row(endpoint.function.operations().find(&call.action()?)?, code)?;
    Some(rpc::Fault {
        status: row.status,
        code: row.code,
        message: refusal(row, id).to_string().into(),
        access_denied_detail: Vec::new(),
        headers: Vec::new(),
    })
}

/// The answer to a call that ends with `fault`.
fn failure(call: &Call, request_id: &str, trace_id: &str, fault: &rpc::Fault) -> Response {
    let host = call.host();
    let envelope = Envelope {
        format: call.format(),
        request_id,
        trace_id,
        host_id: host.as_deref().unwrap_or(API.host),
        product: API.product,
    };
    Response::new(Shape::HttpApi, envelope.failure(fault))
}

/// The value of a header that every answer has.
fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    let value = answer.headers.iter().find(|(known, _)| *known == name);
    value.map(|(_, value)| &**value).unwrap_or_default()
}
