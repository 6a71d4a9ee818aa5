//! Numbers as text for the template: the functions of [`inkling_schema::format`] under Typst's names, so that the text, the
//! figures and the terminal write one number in one way.

use std::sync::LazyLock;

use inkling_schema::format::{
    duration, fixed, percent, percent_range, seconds, spelled, thousands, unbroken,
};
use typst::comemo::Tracked;
use typst::diag::SourceResult;
use typst::engine::Engine;
use typst::foundations::{Args, CastInfo, Context, IntoValue, NativeFuncData, NativeFuncPtr, Scope, Value};

type Function = dyn Fn(&mut Engine, Tracked<Context>, &mut Args) -> SourceResult<Value> + Send + Sync;

static FUNCTIONS: [NativeFuncData; 7] = [
    function("thousands", &|_, _, args| whole(args, thousands)),
    function("spelled", &|_, _, args| whole(args, spelled)),
    function("seconds", &|_, _, args| time(args, seconds)),
    function("duration", &|_, _, args| time(args, duration)),
    function("fixed", &|_, _, args| {
        let (number, decimals) = (args.expect("number")?, args.expect("digits")?);
        text(fixed(number, decimals))
    }),
    function("percent", &|_, _, args| {
        let (share, decimals) = (args.expect("share")?, digits(args)?);
        text(per_cent(&percent(share, decimals)))
    }),
    function("percent-range", &|_, _, args| {
        let (low, high, decimals) = (args.expect("low")?, args.expect("high")?, digits(args)?);
        text(per_cent(&percent_range(low, high, decimals)))
    }),
];

/// Defines the functions for every file of the template.
pub(super) fn define(scope: &mut Scope) {
    for function in &FUNCTIONS {
        scope.define_func_with_data(function);
    }
}

const fn function(name: &'static str, function: &'static Function) -> NativeFuncData {
    NativeFuncData {
        function: NativeFuncPtr(function),
        name,
        title: name,
        docs: "",
        def_site: None,
        keywords: &[],
        contextual: false,
        scope: LazyLock::new(&Scope::new),
        params: LazyLock::new(&Vec::new),
        returns: LazyLock::new(&|| CastInfo::Any),
    }
}

fn text(text: String) -> SourceResult<Value> {
    Ok(text.into_value())
}

fn whole(args: &mut Args, written: fn(usize) -> String) -> SourceResult<Value> {
    text(written(args.expect("number")?))
}

fn time(args: &mut Args, written: fn(f64) -> String) -> SourceResult<Value> {
    text(unbroken(&written(args.expect("seconds")?)))
}

/// How many decimals a share has: one, unless the template says otherwise.
fn digits(args: &mut Args) -> SourceResult<usize> {
    Ok(args.named("digits")?.unwrap_or(1))
}

/// The sign of per cent after a narrow space.
fn per_cent(text: &str) -> String {
    unbroken(text).replace('\u{a0}', "\u{202f}")
}
