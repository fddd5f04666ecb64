//! What is sent, and what is promised about it.

use std::time::Duration;

use tokio::task::JoinSet;

use super::super::leads::{plain, state};
use super::super::table::{print_line, table};
use super::scene::{SOURCES, Scene};
use crate::clock::Clock as _;
use crate::event::{DeadReason, State};
use crate::inbox::{By, IfStale, Operator as _};
use crate::sender::Faults;

const NOW: Duration = Duration::ZERO;
const GOOD: Faults = Faults { tamper: false, stale: false };

pub(super) async fn tell(scene: &mut Scene) -> anyhow::Result<()> {
    print_line(format_args!(
        "A consumer listens on {}, with its database in {}.",
        scene.address(),
        scene.folder().display()
    ))?;
    good(scene).await?;
    duplicates(scene).await?;
    forgeries(scene).await?;
    out_of_order(scene).await?;
    merged(scene).await?;
    not_json(scene).await?;
    poison(scene).await?;
    end(scene).await
}

async fn good(scene: &mut Scene) -> anyhow::Result<()> {
    print_line("\n1. Each of five lead platforms reports a new lead, signed in its own way.")?;
    for source in SOURCES {
        let fields = [("name", "Ada Example"), ("email", "ada@example.com"), ("status", "new")];
        let signed = scene.lead(source, "lead.created", "L-1", &fields, Duration::from_secs(60), GOOD)?;
        let status = scene.post(source, &signed).await?;
        let header =
            signed.headers.keys().map(|name| name.as_str()).filter(|name| name.contains("signature"));
        let header = header.min_by_key(|name| name.len()).unwrap_or_default().to_owned();
        scene.promise(status == 200, format_args!("{source:<13} {header:<32} answered {status}"))?;
    }
    let done = scene.settled().await? && scene.counts().await?.of(State::Done) == 5;
    scene.promise(done, "all five were on disk before their answer, and are processed now")
}

async fn duplicates(scene: &mut Scene) -> anyhow::Result<()> {
    print_line("\n2. Klozeo sends an event and, hearing nothing, sends it ten more times at once.")?;
    let fields = [("status", "contacted"), ("phone", "+1 555 0100")];
    let signed = scene.lead("klozeo", "lead.updated", "L-1", &fields, Duration::from_secs(30), GOOD)?;
    let mut statuses = vec![scene.post("klozeo", &signed).await?];
    let mut retries = JoinSet::new();
    for _ in 0..10 {
        let (sender, signed) = (scene.sender("klozeo")?.clone(), signed.clone());
        retries.spawn(async move { sender.post(&signed).await });
    }
    while let Some(reply) = retries.join_next().await {
        statuses.push(reply??.status);
    }
    let all_200 = statuses.iter().all(|status| *status == 200);
    scene.promise(all_200, format_args!("{} deliveries, every one answered 200", statuses.len()))?;
    scene.settled().await?;
    let applied = lead(scene, "klozeo", "L-1")?.map(|lead| lead.events_applied);
    scene
        .promise(applied == Some(2), "one event, one effect: the lead has seen two events in all, not twelve")
}

async fn forgeries(scene: &mut Scene) -> anyhow::Result<()> {
    print_line("\n3. A stranger tries.")?;
    let before = total(scene).await?;
    let fields = [("status", "won")];
    let tamper = Faults { tamper: true, stale: false };
    let stale = Faults { tamper: false, stale: true };
    let tampered = scene.lead("leadhub", "lead.updated", "L-1", &fields, NOW, tamper)?;
    let status = scene.post("leadhub", &tampered).await?;
    scene.promise(status == 401, format_args!("one byte changed after signing: {status}"))?;
    let old = scene.lead("metalocator", "lead.updated", "L-1", &fields, NOW, stale)?;
    let status = scene.post("metalocator", &old).await?;
    scene.promise(status == 401, format_args!("a genuine delivery, 40 days old: {status}"))?;
    let mut bare = scene.lead("devsphere", "lead.updated", "L-1", &fields, NOW, GOOD)?;
    bare.headers.clear();
    let status = scene.post("devsphere", &bare).await?;
    scene.promise(status == 401, format_args!("no signature at all: {status}"))?;
    let crossed = scene.lead("klozeo", "lead.updated", "L-1", &fields, NOW, GOOD)?;
    let status = scene.post("megatronlead", &crossed).await?;
    scene.promise(status == 401, format_args!("signed for another source: {status}"))?;
    let after = total(scene).await?;
    scene.promise(before == after, "nothing of it was stored")
}

async fn out_of_order(scene: &mut Scene) -> anyhow::Result<()> {
    print_line("\n4. A lead's events arrive in the wrong order: won, then created, then contacted.")?;
    for (event_type, status, age) in
        [("lead.updated", "won", 10), ("lead.created", "new", 30), ("lead.updated", "contacted", 20)]
    {
        let fields = [("name", "Grace Example"), ("status", status)];
        let signed = scene.lead("leadhub", event_type, "L-2", &fields, Duration::from_secs(age), GOOD)?;
        let answer = scene.post("leadhub", &signed).await?;
        scene.promise(
            answer == 200,
            format_args!("{event_type} ({status}), {age} s old: answered {answer}"),
        )?;
    }
    scene.settled().await?;
    let status = lead(scene, "leadhub", "L-2")?.and_then(|lead| lead.fields.get("status").cloned());
    let shown = status.clone().unwrap_or_default();
    scene.promise(
        status.as_deref() == Some("\"won\""),
        format_args!("the table says {shown}: what happened last, not what came last"),
    )
}

async fn merged(scene: &mut Scene) -> anyhow::Result<()> {
    print_line("\n5. Klozeo finds that two leads are one, and says so before it tells of either.")?;
    let events = [
        ("lead.merged", "L-7", &[("merged_into", "L-6")][..], 10),
        ("lead.created", "L-6", &[("name", "Alan Example"), ("status", "new")], 30),
        ("lead.updated", "L-7", &[("status", "contacted")], 20),
    ];
    for (event_type, id, fields, age) in events {
        let signed = scene.lead("klozeo", event_type, id, fields, Duration::from_secs(age), GOOD)?;
        let answer = scene.post("klozeo", &signed).await?;
        scene.promise(answer == 200, format_args!("{event_type} ({id}), {age} s old: answered {answer}"))?;
    }
    scene.settled().await?;
    let status = lead(scene, "klozeo", "L-6")?.and_then(|lead| lead.fields.get("status").cloned());
    let went = lead(scene, "klozeo", "L-7")?.and_then(|lead| lead.merged_into);
    scene.promise(
        status.as_deref() == Some("\"contacted\"") && went.as_deref() == Some("L-6"),
        "what was said of L-7 counts for L-6 now, and L-7 says where it went",
    )
}

async fn not_json(scene: &mut Scene) -> anyhow::Result<()> {
    print_line("\n6. A platform sends something broken, correctly signed.")?;
    let signed = scene.raw("devsphere", "lead=L-3&status=new")?;
    let status = scene.post("devsphere", &signed).await?;
    scene.promise(
        status == 200,
        format_args!("not JSON: answered {status}, for it is genuine and must not be lost"),
    )?;
    let dead = scene.dead().await?;
    let kept = dead.iter().any(|event| event.reason == Some(DeadReason::Malformed));
    scene.promise(kept, "it is a dead letter with the reason 'malformed', for a person to look at")
}

async fn poison(scene: &mut Scene) -> anyhow::Result<()> {
    print_line("\n7. An event trips over a bug in our handler.")?;
    let fields = [("name", "Edsger Example"), ("status", "poison")];
    let signed = scene.lead("klozeo", "lead.created", "L-4", &fields, NOW, GOOD)?;
    let status = scene.post("klozeo", &signed).await?;
    let fine = scene.lead(
        "klozeo",
        "lead.created",
        "L-5",
        &[("name", "Barbara Example"), ("status", "new")],
        NOW,
        GOOD,
    )?;
    scene.post("klozeo", &fine).await?;
    scene.settled().await?;
    let dead = scene.dead().await?;
    let poisoned = dead.into_iter().find(|event| event.reason == Some(DeadReason::AttemptsExhausted));
    let attempts = poisoned.as_ref().map_or(0, |event| event.attempts);
    scene.promise(
        status == 200 && attempts == 3,
        format_args!("answered {status}; tried {attempts} times, then a dead letter"),
    )?;
    let untouched = lead(scene, "klozeo", "L-4")?.is_none() && lead(scene, "klozeo", "L-5")?.is_some();
    scene.promise(untouched, "nothing of it is left in the table, and the lead behind it was not held up")?;
    let Some(poisoned) = poisoned else { return Ok(()) };
    print_line("  ...    the bug is fixed, and the dead letter replayed")?;
    scene.fix_the_bug();
    let now = crate::clock::SystemClock.now();
    scene.operator().replay(poisoned.number, IfStale::FollowRule, By::new("demo", "bug fixed"), now).await?;
    scene.settled().await?;
    let applied = lead(scene, "klozeo", "L-4")?.map(|lead| lead.events_applied);
    scene.promise(
        applied == Some(1),
        format_args!("event {} is done, its effect there exactly once", poisoned.number),
    )
}

async fn end(scene: &mut Scene) -> anyhow::Result<()> {
    print_line("\nThe leads, as their events left them:")?;
    let mut rows = table(["source", "lead", "name", "status", "is", "events applied"]);
    for (source, id, lead) in scene.leads()? {
        let field = |name: &str| lead.fields.get(name).map_or_else(|| "-".to_owned(), |json| plain(json));
        let events = lead.events_applied.to_string();
        rows.add_row([source, id, field("name"), field("status"), state(&lead), events]);
    }
    print_line(rows)?;
    let counts = scene.counts().await?;
    let (done, dead) = (counts.of(State::Done), counts.of(State::Dead));
    scene.promise(done == 14 && dead == 1, format_args!("{done} events done, {dead} dead letter, none lost"))
}

fn lead(scene: &Scene, source: &str, id: &str) -> anyhow::Result<Option<crate::leads::Lead>> {
    let leads = scene.leads()?;
    Ok(leads.into_iter().find(|(of, lead_id, _)| of == source && lead_id == id).map(|(_, _, lead)| lead))
}

async fn total(scene: &Scene) -> anyhow::Result<u64> {
    let counts = scene.counts().await?;
    Ok(State::ALL.into_iter().map(|state| counts.of(state)).sum())
}
