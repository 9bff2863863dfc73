//! The connection to a server is cut at every message of a run, in both directions.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::super::harness::{Place, events};
use super::server::Server;
use super::{Kind, Own, pipeline, users};

/// Where a connection is cut.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// Before so many messages of the client reach the server.
    Client(u64),
    /// Before so many messages of the server reach the client.
    Server(u64),
}

/// Stands between a client and the server; cuts the first connection, and no other.
struct Proxy {
    port: u16,
    /// How many messages the first connection had, from the client and from the server.
    messages: Arc<[AtomicU64; 2]>,
    was_cut: Arc<AtomicBool>,
}

impl Proxy {
    fn start(server: u16, cut: Option<Cut>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let messages: Arc<[AtomicU64; 2]> = Arc::default();
        let was_cut = Arc::new(AtomicBool::new(false));
        let proxy = Self { port, messages: Arc::clone(&messages), was_cut: Arc::clone(&was_cut) };
        // It ends with the tests: a listener waits for ever.
        std::thread::spawn(move || {
            for (number, client) in listener.incoming().enumerate() {
                let client = client.unwrap();
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                // What is small is sent at once, not held back for more.
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let cut = cut.filter(|_| number == 0);
                let counts = if number == 0 { Arc::clone(&messages) } else { Arc::default() };
                pass(&client, &server, true, (cut, Arc::clone(&counts), Arc::clone(&was_cut)));
                pass(&server, &client, false, (cut, counts, Arc::clone(&was_cut)));
            }
        });
        proxy
    }
}

type Cutting = (Option<Cut>, Arc<[AtomicU64; 2]>, Arc<AtomicBool>);

/// Passes messages on from one side to the other, each as a whole.
fn pass(from: &TcpStream, to: &TcpStream, of_client: bool, (cut, counts, was_cut): Cutting) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    std::thread::spawn(move || {
        // The client's first message has no type before its length.
        let mut head = if of_client { 4 } else { 5 };
        loop {
            let mut message = vec![0; head];
            if from.read_exact(&mut message).is_err() {
                break;
            }
            let length = u32::from_be_bytes(*message.last_chunk().unwrap()) as usize;
            let start = message.len();
            message.resize(start + length - 4, 0);
            if from.read_exact(&mut message[start..]).is_err() {
                break;
            }
            head = 5;
            let count = counts[usize::from(!of_client)].fetch_add(1, Ordering::SeqCst) + 1;
            let ends = match cut {
                Some(Cut::Client(at)) => of_client && count >= at,
                Some(Cut::Server(at)) => !of_client && count >= at,
                None => false,
            };
            if ends {
                was_cut.store(true, Ordering::SeqCst);
                break;
            }
            if to.write_all(&message).is_err() {
                break;
            }
        }
        // The other direction ends with it.
        from.shutdown(Shutdown::Both).ok();
        to.shutdown(Shutdown::Both).ok();
    });
}

/// Runs with a cut; tells how many messages there were.
fn run(more: &str, cut: Option<Cut>) -> [u64; 2] {
    let server = Server::shared();
    let place = Place::new();
    let database = server.database();
    let proxy = Proxy::start(server.port, cut);
    let through = database.url.replace(&format!(":{}/", server.port), &format!(":{}/", proxy.port));
    let own = Own { kind: Kind::Postgres, file: place.path(""), database: Some(database) };
    let url = &own.database.as_ref().unwrap().url;
    place.write("in", users(40, 100));
    let text =
        pipeline(&own, &format!("sslmode = \"disable\"\nbatch = 20\nlinger = \"1m\"\n{more}"));
    place.write("p.toml", text.replace(url, &through));
    let done = place.esteira().pipeline("p.toml", &["--events", "events"]).run();
    let told = format!("{cut:?} {more}: {}", done.stderr);
    if proxy.was_cut.load(Ordering::SeqCst) && events(&place, "database").is_empty() {
        // It was cut before there was anything to lose: nothing was consumed.
        assert_eq!((done.code(), place.has("bad")), (4, true), "{told}");
        drop(done);
        drop(place.esteira().pipeline("p.toml", &["--events", "events"]).run().exits(0));
    } else {
        assert_eq!(done.code(), 0, "{told}");
        let sink = done.report()["sinks"]["db"].clone();
        let rejected = if more.contains("update") { 1 } else { 2 };
        assert_eq!((&sink["in"], &sink["rejected"]), (&60.into(), &rejected.into()), "{told}");
        let told_events = events(&place, "database");
        let resolved = told_events.iter().filter(|e| e["what"] == "commit_resolved").count();
        let unknown = told_events.iter().filter(|e| e["what"] == "commit_unknown").count();
        assert_eq!(resolved, unknown, "{told}");
        drop(done);
    }
    assert_eq!((own.count("*"), own.count("DISTINCT id")), (58, 58), "{told}");
    [0, 1].map(|side: usize| proxy.messages[side].load(Ordering::SeqCst))
}

fn cut_everywhere(more: &str) {
    let [client, server] = run(more, None);
    assert!(client > 40 && server > 40, "{client} {server}");
    // Every one of the commit, and some of those before, or as many as there is time for.
    let some = |count: u64| {
        let all = super::kills::trials(1) > 1;
        (1..=count).filter(move |at| all || at % 7 == 0 || count - at < 14)
    };
    some(client).for_each(|at| _ = run(more, Some(Cut::Client(at))));
    some(server).for_each(|at| assert!(run(more, Some(Cut::Server(at)))[0] > 0));
}

#[test]
fn a_connection_that_is_cut_at_any_message_costs_no_row() {
    cut_everywhere("");
}

#[test]
fn nor_does_one_where_rows_go_through_a_table_of_its_own() {
    cut_everywhere("on_conflict = \"update\"");
}
