u, v, c = map(int, input().split())
p = 10**9 + 7
f = [1] * (u + v + 1)
for i in range(1, u + v + 1):
    f[i] = f[i - 1] * i % p


def walks(a, b):
    return f[a + b] * pow(f[a] * f[b], -1, p)


total = walks(u, v)
for _ in range(c):
    x, y = map(int, input().split())
    total -= walks(x, y) * walks(u - x, v - y)
print(total % p)
