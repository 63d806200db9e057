chant = input().strip()
n = len(chant)
border = [0] * (n + 1)
k = 0
for i in range(1, n):
    while k and chant[k] != chant[i]:
        k = border[k]
    if chant[k] == chant[i]:
        k += 1
    border[i + 1] = k
print((n * (n + 1) // 2 + sum(border)) % (10**9 + 9))
