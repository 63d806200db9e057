g = int(input())
a = [list(map(int, input().split())) for _ in range(g)]
print(sum(min(a[i][j], a[j][i]) for i in range(g) for j in range(i)))
