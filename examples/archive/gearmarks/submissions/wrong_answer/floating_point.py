from math import gcd

for _ in range(int(input())):
    a, b = map(int, input().split())
    teeth = a * b / gcd(a, b)
    print(teeth / a, teeth / b)
