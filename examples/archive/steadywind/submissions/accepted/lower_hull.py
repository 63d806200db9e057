import sys


def main():
    m, k, *speeds = map(int, sys.stdin.read().split())
    prefix = [0]
    for speed in speeds:
        prefix.append(prefix[-1] + speed)
    hull = []
    best = -10.0**9
    for right in range(k, m + 1):
        new = right - k
        while len(hull) >= 2:
            a, b = hull[-2], hull[-1]
            if (prefix[b] - prefix[a]) * (new - b) >= (prefix[new] - prefix[b]) * (b - a):
                hull.pop()
            else:
                break
        hull.append(new)
        low, high = 0, len(hull) - 1
        while low < high:
            middle = (low + high) // 2
            here, after = hull[middle], hull[middle + 1]
            if (prefix[right] - prefix[here]) * (right - after) <= (prefix[right] - prefix[after]) * (right - here):
                low = middle + 1
            else:
                high = middle
        left = hull[low]
        best = max(best, (prefix[right] - prefix[left]) / (right - left))
    print(f"{best:.9f}")


main()
