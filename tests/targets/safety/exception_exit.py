from steps import count, three_moments

three_moments(count)
raise ValueError("the end")
