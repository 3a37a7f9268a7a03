//! Answers a call, with the planned fault applied.

use std::time::Duration;

use http::StatusCode;
use ipv6_gateway::allocation::error::SYSTEM_BUSY;
use ipv6_gateway::event::Shape;
use ipv6_gateway::rpc::signature::Signed;
use ipv6_gateway::rpc::{self, Call, Envelope, ErrorResponse};
use ipv6_gateway::{API, Event, RateLimit, Response};
use tokio::time::sleep;

use crate::endpoint::Endpoint;
use crate::fault::{FAULT, Fault, error_row, gateway_error, refusal};

/// Answers `event` with the function and applies the planned fault, if any. `None`: the caller must
/// break the connection. A fault that the call does not reach is kept for the next call.
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
            match operation_error(endpoint, &call, code, id.as_deref()) {
                Some(error) if is_success(&answer) => {
                    let ids = ["x-acs-request-id", "x-acs-trace-id"].map(|id| header(&answer, id));
                    (failure(&call, ids[0], ids[1], &error), true)
                }
                _ => (answer, false),
            }
        }
        Fault::Answer { code, .. } if gateway_error(code).is_some() => {
            match gateway_response(endpoint, &call, code) {
                Some(error) => {
                    let ids = function.ids();
                    (failure(&call, &ids.request_id(), &ids.trace_id(), &error), true)
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

/// The planned gateway error as the function would answer it to the call; `None` if the function
/// refuses the call at an earlier check.
fn gateway_response(endpoint: &Endpoint, call: &Call, code: &str) -> Option<ErrorResponse> {
    let (function, now_secs) = (&endpoint.function, endpoint.clock.now_secs());
    call.route(&API, |name| function.operations().route(name)).ok()?;
    let code = gateway_error(code)?;
    let error = if code == rpc::error::SIGNATURE_DOES_NOT_MATCH {
        // The message shows the text that the server signs. No access key has the empty secret.
        Signed::read(call, now_secs).ok()?.verify("").err()?
    } else {
        code.into()
    };
    let mut response = ErrorResponse::from(&error);
    if code == rpc::error::THROTTLING_USER {
        let limit = function.rate_limit().unwrap_or(RateLimit::DOCUMENTED);
        response.headers = limit.headers_over(now_secs);
    }
    Some(response)
}

/// The documented error `code` of the call's operation.
fn operation_error(
    endpoint: &Endpoint,
    call: &Call,
    code: &str,
    id: Option<&str>,
) -> Option<ErrorResponse> {
    let row = error_row(endpoint.function.operations().find(&call.action()?)?, code)?;
    Some(ErrorResponse {
        status: row.status,
        code: row.code,
        message: refusal(row, id).to_string().into(),
        access_denied_detail: Vec::new(),
        headers: Vec::new(),
    })
}

/// The answer to a call that fails with `error`.
fn failure(call: &Call, request_id: &str, trace_id: &str, error: &ErrorResponse) -> Response {
    let host = call.host();
    let envelope = Envelope {
        format: call.format(),
        request_id,
        trace_id,
        host_id: host.as_deref().unwrap_or(API.host),
        product: API.product,
    };
    Response::new(Shape::HttpApi, envelope.failure(error))
}

/// The value of a header that every answer has.
fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    let value = answer.headers.iter().find(|(known, _)| *known == name);
    value.map(|(_, value)| &**value).unwrap_or_default()
}
