"""What the parts of tests/bench/run share: pipelines that are timed in turn, tables, and goals."""
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, os.environ.get('BUILD', 'build'))
WORK = f'{BUILD}/bench'
DATA = f'{WORK}/data'

TRIES = 4
FEW = 3  # quiet rounds that suffice
OTHERS = 0.06  # of the machine that others may take in a quiet run
TICKS = 0.02  # seconds below which the kernel's counts say nothing
patience = 20  # seconds that disturbed runs may cost

wrong = []  # what was not as it should be


def complain(text):
    wrong.append(text)
    print(f'bench: {text}', file=sys.stderr)


def say(text):
    print(f'bench: {text}', file=sys.stderr, flush=True)


# ---------------------------------------------------------------------------------------------------- pipelines

def spend(pipeline, stdin=None, stdout=None):
    """runs "a | b | c" from one file to another (/dev/null); seconds of wall time and of CPU, all of its processes"""
    stages = [shlex.split(stage) for stage in pipeline.split(' | ')]
    processes, source = [], os.open(stdin or '/dev/null', os.O_RDONLY)
    start = time.monotonic()
    for stage in stages:
        last = len(processes) == len(stages) - 1
        if last:
            reader, sink = None, os.open(stdout or '/dev/null', os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        else:
            reader, sink = os.pipe()
        processes.append(subprocess.Popen(stage, stdin=source, stdout=sink))
        os.close(source)
        os.close(sink)
        source = reader
    cpu = 0
    for process in processes:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu += usage.ru_utime + usage.ru_stime
    seconds = time.monotonic() - start
    bad = [stage[0] for stage, process in zip(stages, processes) if process.returncode != 0]
    if bad:
        raise RuntimeError(f'{", ".join(bad)} failed in: {pipeline}')
    return seconds, cpu


def busy():
    """seconds that all processors have worked so far, for whomever; also for others than this guest"""
    with open('/proc/stat') as f:
        user, nice, system, _, _, irq, softirq, steal, *_ = map(int, f.readline().split()[1:])
    return (user + nice + system + irq + softirq + steal) / os.sysconf('SC_CLK_TCK')


def is_quiet(wall, others):
    return others <= max(OTHERS * os.cpu_count() * wall, TICKS)


def chosen(values, quiet):
    """those of quiet rounds, or all where there are too few of them"""
    some = [value for value, good in zip(values, quiet) if good]
    return some if len(some) >= FEW else values


def spend_in_quiet(prepare, *what):
    """as spend(), prepared each time, up to TRIES times until nobody else works on the machine, as long as there is
    patience; else the run that was disturbed least. Looked at is what others took, not how long the run took. Also
    gives what they took."""
    global patience
    least = None
    for tries in range(TRIES):
        if tries > 0 and patience <= 0:
            break
        prepare()
        before = busy()
        wall, cpu = spend(*what)
        others = max(0, busy() - before - cpu)
        if least is None or others / wall < least[2] / least[0]:
            least = wall, cpu, others
        if is_quiet(wall, others):
            break
        patience -= wall
    return least


class Contender:
    """a pipeline with the file it reads; per is what its cost is divided by, lines or bytes"""

    def __init__(self, name, pipeline, stdin=None, per=1, stdout=None):
        self.name, self.pipeline, self.stdin, self.per, self.stdout = name, pipeline, stdin, per, stdout
        self.wall, self.cpu, self.quiet = [], [], []

    runs = disturbed = 0  # of all of them

    def prepare(self):
        """what must be done before each time that it runs"""

    def run(self):
        wall, cpu, others = spend_in_quiet(self.prepare, self.pipeline, self.stdin, self.stdout)
        self.wall.append(wall / self.per)
        self.cpu.append(cpu / self.per)
        self.quiet.append(is_quiet(wall, others))
        Contender.runs += 1
        Contender.disturbed += not self.quiet[-1]

    def counted(self, of):
        """the runs in quiet, or all where there are too few of them"""
        return chosen(getattr(self, of), self.quiet)

    def median(self, of='wall'):
        return statistics.median(self.counted(of))

    def spread(self, unit, of='wall'):
        """median and extremes in so many seconds"""
        all_of = [x / unit for x in self.counted(of)]
        return f'{statistics.median(all_of):.3g} ({min(all_of):.3g}-{max(all_of):.3g})'


def alternate(contenders, rounds):
    """each in turn, as often as there are rounds, so that what disturbs the machine disturbs all of them alike"""
    for _ in range(rounds):
        for contender in contenders:
            contender.run()


def ratios(one, other, of='wall'):
    """of each round in which both ran in quiet"""
    quiet = [a and b for a, b in zip(one.quiet, other.quiet)]
    return chosen([a / b for a, b in zip(getattr(one, of), getattr(other, of))], quiet)


def ratio(one, other, of='wall'):
    return statistics.median(ratios(one, other, of))


def spread_of(values):
    return f'{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})'


def spent(command, runs=1, stdin=None, stdout=None):
    """µs of wall time, µs of CPU, KiB at the peak, by tests/bench/spent"""
    figures = f'{DATA}/spent'
    with open(stdin or '/dev/null', 'rb') as source, open(stdout or '/dev/null', 'wb') as sink:
        subprocess.run([f'{WORK}/spent', '-r', str(runs), figures, *shlex.split(command)], stdin=source, stdout=sink,
                       check=True)
    with open(figures) as f:
        wall, cpu, peak, status = map(int, f.read().split())
    if status != 0:
        raise RuntimeError(f'{command[:200]}: wait status {status}')
    return wall, cpu, peak


# ----------------------------------------------------------------------------------------------------- what came

def same(what, one, other):
    """complains unless both files have the same bytes"""
    good = subprocess.run(['cmp', '-s', one, other]).returncode == 0
    if not good:
        complain(f'{what}: {os.path.basename(one)} and {os.path.basename(other)} differ')
    return good


def lines_of(path):
    return int(subprocess.run(['wc', '-l', path], check=True, capture_output=True, text=True).stdout.split()[0])


# ------------------------------------------------------------------------------------------------------- results

class Goal:
    """what is asked for, where there is a bound, and what there is; a bound that is missed is told, and no failure"""
    all = []

    def __init__(self, what, got, most=None, least=None, unit='', shown=None):
        self.what, self.got = what, shown or (f'{got:,.3g}{unit}' if got < 1000 else f'{got:,.0f}{unit}')
        self.asked = f'at most {most:,}{unit}' if most is not None else f'at least {least:,}{unit}' if least else ''
        self.met = (most is None or got <= most) and (least is None or got >= least)
        Goal.all.append(self)


def goals_table():
    return table(['', 'goal', 'measured', ''],
                 [[g.what, g.asked, g.got, '' if g.met else 'missed'] for g in Goal.all])


def table(heads, rows):
    out = ['| ' + ' | '.join(heads) + ' |', '|' + '---|' * len(heads)]
    return out + ['| ' + ' | '.join(map(str, row)) + ' |' for row in rows] + ['']


def machine():
    model = 'unknown processor'
    with open('/proc/cpuinfo') as info:
        for line in info:
            if line.startswith('model name'):
                model = line.split(':', 1)[1].strip()
                break
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2 ** 30
    with open(f'{BUILD}/flags') as f:
        compiler = f.read().split()[0]
    version = subprocess.run([compiler, '--version'], capture_output=True, text=True).stdout.split('\n')[0]
    return (f'{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, {version}, '
            f'load at the start {os.getloadavg()[0]:.1f}')
