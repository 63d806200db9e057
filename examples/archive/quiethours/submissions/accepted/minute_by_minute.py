class Solution:
    def quiet_gaps(self, bookings, closing, shortest):
        change = [0] * (closing + 1)
        for begin, finish in bookings:
            change[begin] += 1
            change[finish] -= 1
        gaps, busy, start = [], 0, 0
        for minute in range(closing + 1):
            before = busy
            busy += change[minute]
            if minute == closing or (busy and not before):
                if not before and minute - start >= shortest:
                    gaps.append([start, minute])
            elif before and not busy:
                start = minute
        return gaps
