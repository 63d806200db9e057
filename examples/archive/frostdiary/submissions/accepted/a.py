d = int(input())
dawns = list(map(int, input().split()))
greatest = 0
for before, after in zip(dawns, dawns[1:]):
    greatest = max(greatest, after - before)
print(greatest)
