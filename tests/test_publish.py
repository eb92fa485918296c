"""How a run becomes the report: all of it or nothing."""

import json
import os
import re
import subprocess
import sys

import pytest

from cxkit import publish
from cxkit.errors import RunError, UsageError


def publish_one(home, as_of, *, whole=True, status="done", finding="41 %"):
    with publish.one_run(home), publish.workspace(home, as_of) as folder:
        (folder / "findings").mkdir()
        (folder / "findings" / "03_loyalty.json").write_text(finding)
        (folder / "run.json").write_text(json.dumps({"status": status}))
        (folder / "index.html").write_text(finding)
        return publish.publish(folder, home, whole=whole)


def test_a_whole_run_is_numbered_and_becomes_the_latest(tmp_path):
    home = tmp_path / "demo"
    first = publish_one(home, "2026-06-30")
    assert first == home / "runs" / "2026-06-30-1"
    assert publish.latest(home) == first
    second = publish_one(home, "2026-06-30")
    assert second.name == "2026-06-30-2"
    assert os.readlink(home / "latest") == os.path.join("runs", "2026-06-30-2")
    assert sorted(p.name for p in home.iterdir()) == [".lock", "latest", "runs"]


def test_numbers_count_on_past_nine(tmp_path):
    for number in (2, 10):
        (tmp_path / "runs" / f"2026-06-30-{number}").mkdir(parents=True)
    assert publish_one(tmp_path, "2026-06-30").name == "2026-06-30-11"


def test_a_partial_run_is_kept_but_is_not_the_latest(tmp_path):
    first = publish_one(tmp_path, "2026-05-31")
    part = publish_one(tmp_path, "2026-06-30", whole=False, status="partial")
    assert part.is_dir()
    assert publish.latest(tmp_path) == first


def test_a_pointer_file_stands_in_where_there_are_no_links(tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError("no links here")

    monkeypatch.setattr("pathlib.Path.symlink_to", refuse)
    for number in (1, 2):
        run = publish_one(tmp_path, "2026-06-30")
        assert (tmp_path / "latest").read_text() == f"runs/2026-06-30-{number}\n"
        assert publish.latest(tmp_path) == run


def test_what_is_not_published_goes_and_the_report_before_stays(tmp_path):
    before = publish_one(tmp_path, "2026-05-31")
    with (
        pytest.raises(ValueError, match="broken"),
        publish.one_run(tmp_path),
        publish.workspace(tmp_path, "2026-06-30"),
    ):
        raise ValueError("broken")
    assert publish.latest(tmp_path) == before
    assert [p.name for p in (tmp_path / "runs").iterdir()] == ["2026-05-31-1"]
    assert not list(tmp_path.glob(".tmp-*"))


def test_leftovers_of_a_killed_run_are_removed_by_the_next(tmp_path):
    left = tmp_path / ".tmp-2026-06-30-1" / "tables"
    left.mkdir(parents=True)
    (left / "half.csv").write_text("1,")
    assert publish_one(tmp_path, "2026-06-30").name == "2026-06-30-1"
    assert not left.exists()


def test_a_failed_run_takes_the_place_of_the_failed_run_before_it(tmp_path):
    for text in ("first", "second"):
        with publish.one_run(tmp_path), publish.workspace(tmp_path, "2026-06-30") as folder:
            (folder / f"{text}.ipynb").write_text(text)
            assert publish.keep_failed(folder, tmp_path) == tmp_path / "failed"
    assert [p.name for p in (tmp_path / "failed").iterdir()] == ["second.ipynb"]
    assert not publish.has_runs(tmp_path)


def test_a_second_run_of_the_same_client_is_refused_and_a_dead_ones_lock_is_free(tmp_path):
    code = (
        "import sys, pathlib; from cxkit import publish\n"
        f"with publish.one_run(pathlib.Path({str(tmp_path)!r})):\n    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        message = f"another run of {tmp_path.name!r} is under way .*The last report is untouched"
        with pytest.raises(RunError, match=message), publish.one_run(tmp_path):
            pass
        other.kill()
    with publish.one_run(tmp_path):
        assert (tmp_path / ".lock").is_file()


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "demo").write_text("a file")
    message = re.escape(f"the report could not be written: Not a directory ({tmp_path / 'demo'}") + ".*--out"
    with pytest.raises(RunError, match=message), publish.one_run(tmp_path / "demo"):
        pass


def test_changes_are_measured_against_the_last_whole_run_before_this_as_of(tmp_path):
    assert publish.find_earlier(tmp_path, None, as_of="2026-06-30") is None
    publish_one(tmp_path, "2026-03-31", finding="old")
    publish_one(tmp_path, "2026-04-30", finding="first")
    publish_one(tmp_path, "2026-04-30", finding="again")
    publish_one(tmp_path, "2026-05-31", whole=False, status="partial")
    publish_one(tmp_path, "2026-06-30", finding="now")
    assert publish.find_earlier(tmp_path, None, as_of="2026-06-30").run == "2026-04-30-2"
    assert publish.find_earlier(tmp_path, "none", as_of="2026-06-30") is None
    named = publish.find_earlier(tmp_path, "2026-03-31-1", as_of="2026-06-30")
    assert (named.run, named.as_of) == ("2026-03-31-1", "2026-03-31")


def test_the_earlier_run_is_known_by_the_hash_of_its_findings(tmp_path):
    publish_one(tmp_path, "2026-03-31", finding="one")
    publish_one(tmp_path, "2026-04-30", finding="two")
    publish_one(tmp_path, "2026-05-31", finding="one")
    hashes = [publish.find_earlier(tmp_path, f"2026-{day}-1", as_of=None).sha256 for day in ("03-31", "04-30", "05-31")]
    assert hashes[0] == hashes[2] != hashes[1]


def test_an_unknown_earlier_run_is_refused_with_the_list(tmp_path):
    publish_one(tmp_path, "2026-03-31")
    message = r"--against 2026-01-31-1: no such run under .*runs; there are: 2026-03-31-1; or say none\."
    with pytest.raises(UsageError, match=message):
        publish.find_earlier(tmp_path, "2026-01-31-1", as_of=None)


def test_a_run_of_the_same_or_a_later_day_is_no_earlier_audit(tmp_path):
    for day in ("2026-03-31", "2026-06-30"):
        publish_one(tmp_path, day)
    for as_of in ("2026-06-30", "2026-05-31"):
        message = (
            rf"--against 2026-06-30-1: it is no earlier audit, as this one's last day is {as_of}; name a run of a day"
            r" before it \(2026-03-31-1\), or say none\."
        )
        with pytest.raises(UsageError, match=message):
            publish.find_earlier(tmp_path, "2026-06-30-1", as_of=as_of)
    assert publish.find_earlier(tmp_path, "2026-06-30-1", as_of=None).run == "2026-06-30-1", "the name alone"


def test_all_that_is_read_of_the_earlier_run_is_in_its_hash(tmp_path):
    run = publish_one(tmp_path, "2026-03-31")
    seen = {publish.find_earlier(tmp_path, None, as_of="2026-06-30").sha256}
    for name in ("tables/01_segmentation.customers.csv", "tables/10_swot.items.csv", "findings/withheld/a.json"):
        (run / name).parent.mkdir(exist_ok=True)
        (run / name).write_text("x")
        seen.add(publish.find_earlier(tmp_path, None, as_of="2026-06-30").sha256)
    for record in ({"settings": {"margin": 0.3}}, {"settings": {"margin": 0.3}, "parameters": {"a": 1}}):
        (run / "run.json").write_text(json.dumps({"status": "done", **record}))
        seen.add(publish.find_earlier(tmp_path, None, as_of="2026-06-30").sha256)
    assert len(seen) == 6
    (run / "run.json").write_text(json.dumps({"status": "done", **record, "seconds": {"report": 3}}))
    assert publish.find_earlier(tmp_path, None, as_of="2026-06-30").sha256 in seen, "how long it took is no input"


def test_the_runs_before_the_earlier_one_are_named_the_last_of_each_day(tmp_path):
    for day, status in (
        ("2025-09-30", "partial"),
        ("2025-12-31", "done"),
        ("2025-12-31", "done"),
        ("2026-03-31", "done"),
    ):
        publish_one(tmp_path, day, whole=status == "done", status=status)
    earlier = publish.find_earlier(tmp_path, None, as_of="2026-06-30")
    assert earlier.run == "2026-03-31-1"
    assert list(earlier.before) == ["2025-12-31-2"]


def test_two_runs_to_compare(tmp_path):
    with pytest.raises(UsageError, match=r"latest: there is no whole run\. Runs under .*: none yet"):
        publish.two_runs(tmp_path, "latest", None)
    with pytest.raises(UsageError, match=r"two whole runs are needed to compare\. Runs under .*: none yet"):
        publish.two_runs(tmp_path, None, None)
    for day, status in (
        ("2026-03-31", "done"),
        ("2026-06-30", "done"),
        ("2026-06-30", "done"),
        ("2026-07-31", "partial"),
    ):
        publish_one(tmp_path, day, whole=status == "done", status=status)
    named = lambda *runs: tuple(run.name for run in publish.two_runs(tmp_path, *runs))  # noqa: E731
    assert named(None, None) == ("2026-03-31-1", "2026-06-30-2"), "of an earlier day"
    assert named("2026-06-30-1", None) == ("2026-06-30-1", "2026-06-30-2")
    assert named(None, "2026-07-31-1") == ("2026-06-30-2", "2026-07-31-1"), "one that is named need not be whole"
    for names in (("latest", None), (None, "latest"), ("2026-06-30-2", None)):
        assert named(*names) == ("2026-03-31-1", "2026-06-30-2"), "the last one alone: what changed until then"
    assert named("latest", "2026-07-31-1") == ("2026-06-30-2", "2026-07-31-1")
    there = "Runs under .*: 2026-03-31-1, 2026-06-30-1, 2026-06-30-2, 2026-07-31-1"
    with pytest.raises(UsageError, match=f"2026-01-31-1: no such run. {there}"):
        publish.two_runs(tmp_path, "2026-01-31-1", None)
    with pytest.raises(UsageError, match="2026-07-31-1 does not lie before 2026-06-30-2: give the earlier run first"):
        publish.two_runs(tmp_path, "2026-07-31-1", None)
