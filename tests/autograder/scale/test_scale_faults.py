"""What goes wrong on an engine: things that die, run twice, are not fit to grade, or are stopped half-way."""

import contextlib
import shutil
import sys
import threading
import time

import psutil
import pytest

from autograder.grading import failure
from autograder.scale import engines
from autograder.scale.pipeline import GradeSubmission
from autograder.scale.plan import Unfit
from autograder.scale.store import open_store
from course.errors import CourseError

PATIENCE = 300.0


@contextlib.contextmanager
def working(plan):
    """A worker's DoFn between set-up and tear-down."""
    do_fn = GradeSubmission(plan)
    do_fn.setup()
    try:
        yield do_fn
    finally:
        do_fn.teardown()


@pytest.fixture
def handed_in(plan, element_of):
    """Put a submission into the store; return its element."""

    def hand_in(student, content):
        open_store(plan.store).offer(content)
        return element_of(student, content)

    return hand_in


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def results_in(root):
    return sorted(root.glob("results/small-lab/*/*.json"))


def test_an_element_that_comes_again_is_not_graded_again(plan, handed_in, submission, tmp_path):
    element = handed_in("ada", submission())
    with working(plan) as do_fn:
        assert list(do_fn.process(element)) == [element.key]
        (path,) = results_in(tmp_path)
        before = path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino
        assert list(do_fn.process(element)) == [element.key]
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_two_workers_with_the_same_element_leave_one_result(plan, handed_in, submission, tmp_path):
    element = handed_in("ada", submission())
    with working(plan) as one, working(plan) as other:
        threads = [threading.Thread(target=lambda do_fn=do_fn: list(do_fn.process(element))) for do_fn in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results_in(tmp_path)) == 1
    assert open_store(plan.store).verdict(element).score == 9


def is_grading(server):
    """Whether a grading process has forked itself for a submission."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return any(child.cmdline() == server.cmdline() for child in server.children())
    return False


def kill_while_grading(do_fn, times):
    """Kill the worker's grading process so many times, each time when it has begun to grade."""
    for _ in range(times):
        victim = psutil.Process(do_fn.server.process.pid)
        wait_until(lambda victim=victim: is_grading(victim))
        victim.kill()
        wait_until(lambda victim=victim: do_fn.server.process.pid != victim.pid)


@pytest.mark.parametrize(("kills", "status"), [(1, "graded"), (2, "infrastructure")])
def test_a_grading_process_that_dies_is_replaced(plan, handed_in, submission, kills, status):
    """Once is bad luck, and the submission is graded again; twice is its own doing, and the next ones are graded."""
    slow = handed_in("slow", submission(added=["import time; time.sleep(2)"]))
    after = handed_in("after", submission())
    store = open_store(plan.store)
    with working(plan) as do_fn:
        killer = threading.Thread(target=kill_while_grading, args=(do_fn, kills))
        killer.start()
        assert list(do_fn.process(slow)) == [slow.key]
        killer.join()
        assert list(do_fn.process(after)) == [after.key]
    assert store.result(slow).status == status
    assert (store.verdict(slow) is None) == (status == "infrastructure")
    assert store.verdict(after).score == 9


WORKER = """
import sys
from autograder.scale.plan import Element, Plan
from autograder.scale.worker import GradingServer
server = GradingServer(Plan.model_validate_json(sys.argv[1]))
server.grade(Element(*sys.argv[2:]))
"""


def test_a_grading_process_ends_with_its_worker(plan, handed_in, submission):
    """SIGKILL of the worker: nothing that it started is left, and no half of a result."""
    element = handed_in("slow", submission(added=["import time; time.sleep(3)"]))
    words = [element.lab, element.student, element.submission, element.key]
    worker = psutil.Popen([sys.executable, "-c", WORKER, plan.model_dump_json(), *words])
    wait_until(lambda: any(is_grading(child) for child in worker.children()))
    started = worker.children(recursive=True)
    worker.kill()
    worker.wait()
    assert len(started) >= 3
    assert not psutil.wait_procs(started, timeout=PATIENCE)[1]
    assert open_store(plan.store).result(element) is None


def test_a_worker_in_another_environment_refuses(plan, handed_in, submission):
    other = plan.model_copy(update={"environment": plan.environment | {"numpy": "1.26.4"}})
    with working(other) as do_fn, pytest.raises(Unfit, match=r"another environment .*numpy \S+ for 1\.26\.4"):
        list(do_fn.process(handed_in("ada", submission())))


def test_a_worker_that_has_another_lab_refuses(plan, handed_in, submission, lab, tmp_path):
    shutil.copytree(lab.folder, tmp_path / "changed" / "small-lab")
    with (tmp_path / "changed" / "small-lab" / "checks.py").open("a") as checks:
        checks.write("# changed\n")
    other = plan.model_copy(update={"labs": {lab.id: tmp_path / "changed" / "small-lab"}})
    with working(other) as do_fn, pytest.raises(Unfit, match="another version of the lab small-lab"):
        list(do_fn.process(handed_in("ada", submission())))


def test_a_worker_that_does_not_see_the_class_folder_says_so(plan, element_of, submission):
    with working(plan) as do_fn, pytest.raises(Unfit, match="the same path"):
        list(do_fn.process(element_of("ada", submission())))


def test_workers_without_a_sandbox_are_one_sentence(grader, jobs_of, submission, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CourseError, match=r"graded nothing\. The worker \S+ cannot grade\. .*apt install bubblewrap"):
        list(grader("direct")(jobs_of({"ada": submission()})))
    assert not results_in(tmp_path)


def test_a_runner_that_does_not_exist_is_named(grader, jobs_of, submission, tmp_path):
    with pytest.raises(CourseError, match="graded nothing.*NoSuchRunner"):
        list(grader("NoSuchRunner")(jobs_of({"ada": submission()})))


def test_without_dask_one_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(engines.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(CourseError, match="pip install"), engines.started("dask", 2, 4):
        pass


def test_a_failure_of_an_earlier_run_is_graded_anew(grader, plan, handed_in, jobs_of, submission, assignment):
    element = handed_in("ada", submission())
    store = open_store(plan.store)
    store.put(element, failure(assignment, "ada", submission(), "the disk was full"))
    ((_, result),) = grader("direct")(jobs_of({"ada": submission()}))
    assert (result.status, result.score) == ("graded", 9)
    assert store.verdict(element) == result


def workers_at_work(process):
    """The workers below a process whose grading process is grading."""
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "autograder.scale.server" in child.cmdline() and is_grading(child):
                yield child.parent()


def test_a_worker_of_the_cluster_killed_in_its_bundle(grader, jobs_of, submission, tmp_path):
    """Dask hands the bundle to another worker: what was graded stays, the rest follows, each once."""
    handed = {f"student-{n}": submission(added=["import time; time.sleep(1)"]) for n in range(6)}
    killed = []

    def kill_one():
        wait_until(lambda: results_in(tmp_path))
        wait_until(lambda: killed.extend(workers_at_work(psutil.Process())) or killed)
        killed[0].kill()

    killer = threading.Thread(target=kill_one)
    killer.start()
    found = [(job.student, result.status, result.score) for job, result in grader("dask")(jobs_of(handed))]
    killer.join()
    assert not killed[0].is_running()
    assert sorted(found) == [(student, "graded", 9) for student in handed]
    assert len(results_in(tmp_path)) == len(handed)
