s = input().strip()
print(s[-2::-1])
