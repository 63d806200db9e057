n, k = map(int, input().split())
people = sum(map(int, input().split()))
blankets = -(-people // k)
print(blankets, blankets * k - people)
