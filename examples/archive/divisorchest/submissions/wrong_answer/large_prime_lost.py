from collections import Counter

input()
e = Counter()
for n in map(int, input().split()):
    d = 2
    while d * d <= n:
        while n % d == 0:
            e[d] += 1
            n //= d
        d += 1
answer = 1
for k in e.values():
    answer = answer * (k + 1) % 998244353
print(answer)
