"""The table that every bench prints: what, how much, the target, met or missed."""


class Table:
    def __init__(self, title):
        self.missed = 0
        print(f"{title:<62} {'measured':>9}  {'target':>10}", flush=True)

    def add(self, what, value, target, detail="", at_most=False):
        met = value <= target if at_most else value >= target
        self.missed += not met
        bound = f"{'at most' if at_most else 'at least'} {target:g}"
        print(f"  {what:<60} {value:>9.2f}  {bound:<14} {'met' if met else 'MISSED':<7} {detail}", flush=True)

    def status(self):
        """The exit status of the bench."""
        return 1 if self.missed else 0
