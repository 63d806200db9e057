chant = input().strip()
n = len(chant)
z = [n] + [0] * (n - 1)
left = right = 0
for i in range(1, n):
    if i < right:
        z[i] = min(right - i, z[i - left])
    while i + z[i] < n and chant[z[i]] == chant[i + z[i]]:
        z[i] += 1
    if i + z[i] > right:
        left, right = i, i + z[i]
print(sum(k * (k + 1) // 2 for k in z) % (10**9 + 9))
