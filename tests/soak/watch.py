"""What the processes of a soak and their files take, as time goes on."""
import os
import statistics

PAGE = os.sysconf("SC_PAGE_SIZE") // 1024
# what a process may gain, in KiB, descriptors and threads, from the second quarter of its life to its end: above 5 %
# a heap settles. Go collects its garbage when it likes; one message of 900 KiB stays in the buffers of bnc-stream and
# its libraries, and a connection that is replaced is there twice
GAIN = {"websocketd": (12288, 8, 8), "bnc-stream": (4096, 4, 1)}
GAIN_ELSE = (1024, 2, 1)
LIFE = 45.0  # seconds; of one that lived shorter nothing is judged
PASSING = ("bnc-tap", "pipeline.sh", "setpriv", "sleep", "bash")  # clients' own, or on the way to something else


def processes():
    """pid -> parent, of all"""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as f:
                state, parent = f.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state not in "ZX":
            parents[int(name)] = int(parent)
    return parents


def descendants():
    parents = processes()
    found, fresh = [], {os.getpid()}
    while fresh:
        fresh = {pid for pid, parent in parents.items() if parent in fresh}
        found += fresh
    return found


def name_of(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        words = f.read().decode("utf-8", "replace").split("\0")
    if os.path.basename(words[0]) in ("bash", "sh") and len(words) > 1:
        words = words[1:]
    if not words[0]:
        raise OSError  # on its way out
    return os.path.basename(words[0])


def taken_by(pid):
    """KiB in memory, descriptors, threads"""
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        memory = int(f.read().split()[1]) * PAGE
    return memory, len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task"))


class Watch:
    def __init__(self, out):
        self.out = out
        self.lives = {}  # pid -> [name, [(time, KiB, descriptors, threads)]]
        self.files = []  # (time, files, bytes)
        self.out.write("seconds\tpid\tname\tKiB\tdescriptors\tthreads\n")

    def look(self, now, directories):
        for pid in descendants():
            try:
                name, taken = name_of(pid), taken_by(pid)
            except OSError:  # it ended meanwhile
                continue
            life = self.lives.get(pid)
            if life is None or life[0] != name:
                life = self.lives[pid] = [name, []]
            life[1].append((now, *taken))
            self.out.write("%.1f\t%d\t%s\t%d\t%d\t%d\n" % (now, pid, name, *taken))
        self.files.append((now, *files_of(directories)))

    def running(self, name):
        """those that the last look has seen"""
        last = self.files[-1][0]
        return [pid for pid, (called, samples) in self.lives.items() if called == name and samples[-1][0] == last]

    def standing(self):
        """name -> how many of what does not come and go with clients, now"""
        count = {}
        last = self.files[-1][0]
        for name, samples in self.lives.values():
            if samples[-1][0] == last and name not in PASSING:
                count[name] = count.get(name, 0) + 1
        return count

    def judge(self, memory=True):
        """rows of a table, and what is wrong"""
        table, wrong = {}, []
        for pid, (name, samples) in self.lives.items():
            row = table.setdefault(name, [0, 0, 0, 0, None])
            row[0] += 1
            for i in range(3):
                row[1 + i] = max(row[1 + i], max(s[1 + i] for s in samples))
            gain = gained(samples)
            if gain is None:
                continue
            row[4] = gain if row[4] is None else tuple(map(max, gain, row[4]))
            allowed = GAIN.get(name, GAIN_ELSE)
            what = ("KiB", "descriptors", "threads")
            for i in range(0 if memory else 1, 3):
                if gain[i] > allowed[i] + samples[0][1 + i] * (0.05 if i == 0 else 0):
                    wrong.append(f"{name} (pid {pid}) has gained {gain[i]} {what[i]} in {samples[-1][0] - samples[0][0]:.0f} s")
        return table, wrong


def gained(samples):
    """between the second quarter of a life and its last fifth; None where it was too short"""
    born, died = samples[0][0], samples[-1][0]
    if died - born < LIFE:
        return None
    early = [s for s in samples if 0.25 <= (s[0] - born) / (died - born) <= 0.5]
    late = [s for s in samples if (s[0] - born) / (died - born) >= 0.8]
    if not early or not late:
        return None
    return tuple(round(statistics.median(s[i] for s in late) - statistics.median(s[i] for s in early)) for i in (1, 2, 3))


def files_of(directories):
    count = size = 0
    for directory in directories:
        for where, _, names in os.walk(directory):
            for name in names:
                try:
                    size += os.lstat(os.path.join(where, name)).st_size
                    count += 1
                except OSError:
                    continue
    return count, size
