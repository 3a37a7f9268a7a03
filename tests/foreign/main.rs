//! Tests with tools that a machine with Rust and a C compiler lacks: the official clients,
//! `DynamoDB` Local, a browser, tools that read `OpenAPI`, a runner in Python, and git.
//!
//! `foreign::tools` lists the tools. Every test gets its tools from there, so that all fail after
//! one message if a tool is missing.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without ends it there")]

mod action;
mod clients;
mod contributing;
mod control;
mod coverage;
mod curl;
mod dynamodb;
mod fuzz;
mod openapi;
mod pins;
mod places;
mod recipes;
mod review;
mod second_runner;
mod stores;
