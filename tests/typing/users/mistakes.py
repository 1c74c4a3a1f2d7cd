"""Mistakes in an application. Every line that ends in `# wrong` must be an error, and no other."""

import tuppence

tp = tuppence.Client()
q = tp.question("?")

tuppence.Client(1)  # wrong
tuppence.Client(clock="now")  # wrong
tp.capture(7)  # wrong
tp.capture()  # wrong
tp.capture("signup", "stray")  # wrong
tp.feedback("i1-1")  # wrong
tp.feedback("i1-1", q.id == "a")  # wrong
tp.feedback(question="i1-1", useful=True)  # wrong
tp.feedback("i1-1", useful="yes")  # wrong
tp.question()  # wrong
tp.question(7)  # wrong
tp.question("?", "u1")  # wrong
tp.flush("soon")  # wrong
tp.flush(1, 2)  # wrong
tp.close(timeout="never")  # wrong
tp.flsh()  # wrong
q.answered("llama")  # wrong
q.answered(model=7)  # wrong
q.answered(score="high")  # wrong
q.answered(input_tokens="210")  # wrong
q.answered(sources=7)  # wrong
q.no_match("a", "b")  # wrong
q.no_match(sources=3)  # wrong
q.refused(7)  # wrong
q.refused(cause=7)  # wrong
q.timeout("a", cause="b")  # wrong
q.give_up()  # wrong
number: str = tp.capture("signup")  # wrong
done: int = tp.stats.problem  # wrong
tp.stats.captured = 3  # wrong
lost = tp.stats.received  # wrong
tuppence.asgi.Middleware(tp)  # wrong
tuppence.asgi.Middleware(lambda scope, receive, send: None, client=tp)  # wrong
tuppence.wsgi.Middleware(tp, client=tp)  # wrong
tuppence.Agent()  # wrong
