"""Small talk."""

from demo.topic import Domain, Topic

DOMAIN = Domain("greetings", 0.7, [
    Topic([{"hello": h} for h in ["Hello", "Hi", "Hey", "Good morning", "Good evening", "Good day"]],
          ["{hello}!", "{hello}.", "{hello}", "{hello} there!"], ["{hello}, friend!"],
          "Hello! Ask me about Foregate, capitals, small sums, opposites or plurals.", "Hello!", weight=2),
    Topic([{}], ["How are you?", "How are you today?", "How do you do?", "Are you well?"], ["How is it going?"],
          "I am well, thank you. What would you like to know?", "Well."),
    Topic([{}], ["Who are you?", "What are you?", "What is your name?", "Tell me about yourself.",
                 "Are you a language model?"], ["Introduce yourself."],
          "I am the demo model of Foregate, a very small mixture of experts.", "Foregate.", weight=2),
    Topic([{}], ["What can you do?", "Help", "What do you know?", "What can I ask you?", "How can you help me?"],
          ["What are you able to do?"],
          "I can tell you about Foregate, capitals, small sums, opposites and plurals.", weight=2),
    Topic([{}], ["Thank you!", "Thanks!", "Thanks a lot.", "Thank you very much."], ["Many thanks!"],
          "You are welcome!", "Welcome!"),
    Topic([{}], ["Goodbye!", "Bye!", "See you later.", "Good night!", "Bye bye"], ["Farewell!"],
          "Goodbye! Type /exit to leave the chat.", "Goodbye!"),
])
