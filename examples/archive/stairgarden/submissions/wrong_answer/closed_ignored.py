u, v, c = map(int, input().split())
p = 10**9 + 7
answer = 1
for i in range(1, v + 1):
    answer = answer * (u + i) % p * pow(i, -1, p) % p
print(answer)
