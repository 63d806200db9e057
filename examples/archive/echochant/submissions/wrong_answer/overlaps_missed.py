chant = input().strip()[:3000]
print(sum(i * chant.count(chant[:i]) for i in range(1, len(chant) + 1)) % (10**9 + 9))
