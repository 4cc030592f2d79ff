//! What flows cost by SMS: for `langnghe check`.

use std::fmt::Write as _;

use langnghe_connector::render;
use langnghe_flow::{Library, Said};
use langnghe_model::{
    Capabilities, ChannelId, Problem, Reply,
    capabilities::{Encoding, TextUnit},
    segments,
};

/// How many of the dearest texts of a flow are shown.
const SHOWN: usize = 3;

/// One text on one channel.
struct Price<'a> {
    said: &'a Said,
    /// Parts, which are paid for.
    parts: usize,
    messages: usize,
    /// Parts of the same without accents.
    plain: usize,
}

/// The prices on a channel that counts in parts, and what is wrong with them; `None` for others.
pub(super) fn prices(
    channel: &ChannelId,
    capabilities: &Capabilities,
    library: &Library,
) -> Option<(String, Vec<Problem>)> {
    if capabilities.text.unit != TextUnit::Segments {
        return None;
    }
    let plainly = Capabilities {
        encoding: Encoding::Unaccented,
        ..capabilities.clone()
    };
    let said = library.said();
    let mut flows: Vec<(&str, Vec<Price<'_>>)> = Vec::new();
    for one in &said {
        let (parts, messages) = cost(&one.reply, capabilities);
        let price = Price {
            said: one,
            parts,
            messages,
            plain: cost(&one.reply, &plainly).0,
        };
        match flows.last_mut().filter(|(flow, _)| *flow == one.flow) {
            Some((_, prices)) => prices.push(price),
            None => flows.push((&one.flow, vec![price])),
        }
    }
    let policy = match capabilities.encoding {
        Encoding::Unicode => "with accents",
        Encoding::Unaccented => "without accents",
        Encoding::Auto => "accents where they fit",
    };
    let most = capabilities.text.max;
    let mut table = format!("SMS on `{channel}`, {policy}, at most {most} parts a message:\n");
    for (flow, prices) in &mut flows {
        write_flow(&mut table, flow, prices);
    }
    Some((table, problems(channel, capabilities, &flows)))
}

fn cost(reply: &Reply, capabilities: &Capabilities) -> (usize, usize) {
    let messages = render(reply.clone(), capabilities);
    let parts = messages.iter().map(|message| match message {
        Reply::Text { text } => segments::count(text).parts,
        _ => 1,
    });
    (parts.sum(), messages.len())
}

fn write_flow(table: &mut String, flow: &str, prices: &mut [Price<'_>]) {
    let sum = |wanted: bool| -> usize {
        let some = prices.iter().filter(|price| price.said.always == wanted);
        some.map(|price| price.parts).sum()
    };
    let plain: usize = prices.iter().map(|price| price.plain).sum();
    let (always, sometimes) = (sum(true), sum(false));
    let all = always + sometimes;
    let cheaper = if plain < all {
        format!("; without accents {plain} in all instead of {all}")
    } else {
        String::new()
    };
    // Writing to a text cannot fail.
    let _written = writeln!(
        table,
        "  {flow}: {always} parts in every conversation, at most {sometimes} more as the answers are{cheaper}"
    );
    prices.sort_by_key(|price| std::cmp::Reverse(price.parts));
    for price in prices.iter().take(SHOWN).filter(|price| price.parts > 1) {
        let several = if price.messages > 1 {
            format!(" in {} messages", price.messages)
        } else {
            String::new()
        };
        let cheaper = if price.plain < price.parts {
            format!(" (without accents {})", price.plain)
        } else {
            String::new()
        };
        let step = &price.said.step;
        let _written = writeln!(table, "    {step}: {} parts{several}{cheaper}", price.parts);
    }
}

fn problems(
    channel: &ChannelId,
    capabilities: &Capabilities,
    flows: &[(&str, Vec<Price<'_>>)],
) -> Vec<Problem> {
    let all = || flows.iter().flat_map(|(_, prices)| prices);
    let named = |prices: Vec<&Price<'_>>| -> String {
        let names = prices.iter().take(SHOWN);
        let names: Vec<String> = names
            .map(|price| format!("{}/{}", price.said.flow, price.said.step))
            .collect();
        let more = if prices.len() > SHOWN { ", …" } else { "" };
        format!("{}{more}", names.join(", "))
    };
    let mut problems = Vec::new();
    let long: Vec<_> = all().filter(|price| price.messages > 1).collect();
    if !long.is_empty() {
        let message = format!(
            "on `{channel}` {} texts take more than one SMS: {}",
            long.len(),
            named(long)
        );
        let help = format!(
            "word them shorter, or raise max_segments = {} if the provider takes more",
            capabilities.text.max
        );
        problems.push(Problem::warning("sms::long", message).help(help));
    }
    let dear: Vec<_> = all()
        .filter(|price| price.parts >= 2 * price.plain.max(1))
        .collect();
    if !dear.is_empty() {
        let message = format!(
            "on `{channel}` accents make {} texts cost twice as much or more: {}",
            dear.len(),
            named(dear)
        );
        let help = "encoding = \"unaccented\" leaves the accents out";
        problems.push(Problem::warning("sms::accents", message).help(help));
    }
    problems
}
