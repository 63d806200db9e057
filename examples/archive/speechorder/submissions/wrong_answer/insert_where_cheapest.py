g = int(input())
a = [list(map(int, input().split())) for _ in range(g)]


def grumbling(order):
    return sum(a[i][j] for k, i in enumerate(order) for j in order[:k])


order = []
for guest in range(g):
    order = min((order[:k] + [guest] + order[k:] for k in range(guest + 1)), key=grumbling)
print(grumbling(order))
