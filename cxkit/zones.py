"""Which touchpoints and zones of touchpoints meet the customers, and how many of them."""

from datetime import UTC, datetime

import ibis
import pandas as pd

from cxkit.engine import collect
from cxkit.errors import DataError
from cxkit.stages import name_key


def stage_touchpoints(touches: ibis.Table, *, stages: pd.DataFrame, until: datetime) -> pd.DataFrame:
    """Every touchpoint of every stage and whom it reached, the most met first.

    From: touches; `stages.read_stages`; `until` as in `journey_map`. To: position, stage, touchpoint, customers,
    unknown_sessions, touches, channels (text, the most used first).
    What is left out: touches without a stage.
    """
    end = until.astimezone(UTC).replace(tzinfo=None) if until.tzinfo else until
    log = touches.filter(touches.stage.isin(stages["stage"].to_list()))
    log = log.filter(log.occurred_at <= ibis.literal(end, "timestamp(6)"))
    numbers = log.group_by("stage", "touchpoint").aggregate(
        customers=log.customer_id.nunique(),
        unknown_sessions=log.visitor.nunique(where=log.customer_id.isnull()),
        touches=log.count(),
    )
    frame = collect(numbers, order_by=["stage", "touchpoint"])
    used = log.filter(log.channel.notnull()).group_by("stage", "touchpoint", "channel").aggregate(used=ibis._.count())
    ranked = collect(used, order_by=["stage", "touchpoint", ibis.desc("used"), "channel"])
    channels = {key: ", ".join(rows["channel"]) for key, rows in ranked.groupby(["stage", "touchpoint"])}
    place = dict(zip(stages["stage"], range(1, len(stages) + 1), strict=True))
    frame = frame.assign(
        position=frame["stage"].map(place).astype("int64"),
        channels=[channels.get(key, "") for key in zip(frame["stage"], frame["touchpoint"], strict=True)],
    )
    order = ["position", "customers", "unknown_sessions", "touchpoint"]
    frame = frame.sort_values(order, ascending=[True, False, False, True], ignore_index=True)
    return frame[["position", "stage", "touchpoint", "customers", "unknown_sessions", "touches", "channels"]]


def zones(touches: ibis.Table, touchpoint_map: pd.DataFrame) -> pd.DataFrame:
    """The zones of touchpoints (a site holds its contact page, its questions and answers …) and whom each reached.

    From: touches; `stages.touchpoint_map`: touchpoint and parent (the zone it is part of; a zone may lie in another;
    spellings as `stages.name_key` takes them for one), canonical (the log's name, where it has another). To, the most
    met first: zone, parent, holds (how many touchpoints, those of zones within it too), touchpoints (text), customers,
    unknown_sessions, touches (of the zone itself and all it holds).
    Source: that large zones hold many small points is S2c's.
    Raises DataError where a zone lies within itself.
    """
    inside = touchpoint_map[touchpoint_map["parent"].fillna("").astype(str).str.strip() != ""]
    written = [*touchpoint_map["touchpoint"].astype(str), *sorted(inside["parent"])]
    said = {name_key(name): name for name in reversed(written)}
    parent = {name_key(r.touchpoint): name_key(r.parent) for r in inside.itertuples()}
    members: dict[str, list[str]] = {zone: [] for zone in parent.values()}
    for start in parent:
        chain, zone = [start], parent[start]
        while zone:
            if zone in chain:
                way = " > ".join(said[name] for name in [*chain, zone])
                raise DataError(f"{way}: a zone lies within itself. Mend `parent` in the sheet.")
            members[zone].append(start)
            chain.append(zone)
            zone = parent.get(zone)
    named = collect(touches.select("touchpoint").distinct(), order_by="touchpoint")["touchpoint"].dropna()
    keys = {name: {name_key(name)} for name in named}  # what may stand for a touchpoint of the log
    if "canonical" in touchpoint_map.columns:
        for row in touchpoint_map.itertuples():
            keys.get(row.canonical, set()).add(name_key(row.touchpoint))
    pairs = [(zone, name) for zone in members for name in named if keys[name] & {zone, *members[zone]}]
    table = ibis.memtable(
        pd.DataFrame(pairs, columns=["zone", "touchpoint"]), schema={"zone": "string", "touchpoint": "string"}
    )
    both = touches.join(table, "touchpoint")
    numbers = both.group_by("zone").aggregate(
        customers=both.customer_id.nunique(),
        unknown_sessions=both.visitor.nunique(where=both.customer_id.isnull()),
        touches=both.count(),
    )
    found = collect(numbers, order_by="zone").set_index("zone").reindex(sorted(members)).fillna(0).astype("int64")
    above = [said[parent[zone]] if zone in parent else None for zone in found.index]
    found.insert(0, "parent", pd.Series(above, found.index, dtype=object))
    found.insert(1, "holds", [len(members[zone]) for zone in found.index])
    held = [", ".join(sorted(said[name] for name in members[zone])) for zone in found.index]
    found.insert(2, "touchpoints", pd.Series(held, found.index, dtype=object))
    found.index = pd.Index([said[zone] for zone in found.index], name="zone", dtype=object)
    order = ["customers", "unknown_sessions", "holds", "zone"]
    return found.reset_index().sort_values(order, ascending=[False, False, False, True], ignore_index=True)
