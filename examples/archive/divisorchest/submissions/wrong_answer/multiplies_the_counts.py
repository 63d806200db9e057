def count(n):
    total, d = 1, 2
    while d * d <= n:
        e = 0
        while n % d == 0:
            n //= d
            e += 1
        total *= e + 1
        d += 1
    return total * (2 if n > 1 else 1)


input()
answer = 1
for n in map(int, input().split()):
    answer = answer * count(n) % 998244353
print(answer)
