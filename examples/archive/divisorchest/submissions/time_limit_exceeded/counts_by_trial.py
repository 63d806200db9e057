input()
product = 1
for n in map(int, input().split()):
    product *= n
divisors = 0
d = 1
while d * d <= product:
    if product % d == 0:
        divisors += 1 if d * d == product else 2
    d += 1
print(divisors % 998244353)
