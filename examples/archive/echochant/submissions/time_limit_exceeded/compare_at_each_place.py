chant = input().strip()
n = len(chant)
letters = 0
for start in range(n):
    length = 0
    while start + length < n and chant[length] == chant[start + length]:
        length += 1
        letters += length
print(letters % (10**9 + 9))
