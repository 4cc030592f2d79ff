# What the system says, in English. Each line: id = words. { $name } is filled in by the program.

language-name = English
agency = the agency
hotline = 1022
address = the reception office

# On buttons
skip = Skip
done = Done
send = Send
change = Change
cancel = Cancel
back = Back
menu = Main menu
person = Talk to staff
yes = Yes
no = No
agree = I agree
disagree = I do not agree
erase-yes = Delete all
erase-no = Keep it

# Not understood, first time
retry-text = Please answer this question in words.
retry-text-short = That is rather short. Please write a little more (at least { $min } characters).
retry-text-long = That is rather long. Please shorten it (at most { $max } characters).
retry-choice = Sorry, I did not understand. Please choose one below, or answer with its number.
retry-choice-several = Which of these do you mean?
retry-choices = Sorry, I did not understand. Please answer with the numbers, for example: 1, 3.
retry-choices-count = Please choose { $min } to { $max } of them.
retry-yes-no = Please answer Yes or No.
retry-number = Please answer with a number, for example: 20.
retry-number-whole = Please answer with a whole number, for example: 20.
retry-number-range = The number should be from { $min } to { $max }.
retry-number-low = The number should be at least { $min }.
retry-number-high = The number should be at most { $max }.
retry-rating = Please give 1 to { $max } points.
retry-date = Sorry, which day is it? For example: today, yesterday, or 21/11.
retry-date-early = The day should be { $min } or later.
retry-date-late = The day should be { $max } or earlier.
retry-phone = That does not look like a phone number. Please check it, for example: 0912 345 678.
retry-email = That does not look like an e-mail address. Please check it, for example: name@example.vn.
retry-location = Sorry, where is that? Please share a location, or type house number, street and ward.
retry-media = Please send { $kinds } here.
retry-consent = Please answer I agree or I do not agree.
retry-review = Please reply SEND to send it, or the number of the item to change.

# Second time: with an example
help-text = Write it the way you would tell a neighbour.
help-choice = For example, to choose the first one, reply 1.
help-choices = For example, to choose the first and the third, reply: 1, 3.
help-yes-no = Reply 1 for Yes, 2 for No.
help-number = For example: 20, or 1.5.
help-rating = For example, reply 4.
help-date = For example: today, yesterday, 21/11, 21/11/2026.
help-phone = For example: 0912345678.
help-email = For example: name@example.vn.
help-location = For example: in front of 12 Nguyễn Trãi, Cái Khế ward.
help-media = Tap the attach button (a clip or a camera) and choose a file.
help-consent = Reply 1 for I agree, 2 for I do not agree.
help-review = Reply SEND to send. Reply a number to change that item. Reply CANCEL to drop it.

# Third time
stuck = Sorry, I still do not understand. What would you like to do?

# Review before sending
review-title = Please check:
review-how = Reply SEND to send it. To change an item, reply its number. Reply CANCEL to drop it.
review-which = Which number would you like to change? Reply SEND if none.
review-none = (skipped)
review-media = { $count ->
    [one] 1 file
   *[other] { $count } files
}
review-location = Shared location

# Photos, places, other content
media-received = { $count ->
    [one] Got 1 file. Send more, or reply DONE.
   *[other] Got { $count } files. Send more, or reply DONE.
}
media-kept = Got your file.
media-full = There are { $max } files already, so later ones were not kept.
location-kept = Got your location.
kept = Got what you sent.
unsupported = Sorry, I cannot read this kind of content.
text-cut = That message was too long, so only its first { $max } characters were kept. Please send the rest as another message.
kind-image = a photo
kind-video = a video
kind-audio = a voice note
kind-file = a file

# Moving about
cancelled = Cancelled. What you entered was not sent. Reply MENU whenever you need us.
nothing-to-cancel = There is nothing to cancel. Reply MENU to start.
no-back = This is the first question.
cannot-skip = This question needs an answer, so it cannot be skipped.
help-general = You can reply at any time: BACK, SKIP, CHANGE, CANCEL, RESTART, MENU, LANGUAGE, AGENT, MY DATA, DELETE MY DATA.
stopped = Stopped. Reply MENU whenever you need us.
old-button = That button belongs to something finished, so it no longer works.
answer-changed = Answer changed: { $label }.
edited = Updated from the message you edited.
migrated = The questions have just been updated. Your answers are kept.
flow-gone = Sorry, what you were doing is no longer offered.
received = Received. Your code is { $code }. Thank you!
finished = That is all. Thank you!
refused = We respect your choice and will not keep this message. You may call { $hotline } or visit { $address }.

# Talk to staff
person-soon = We have passed you on to our staff. They will answer you here. To come back to the automatic assistant, reply MENU.
person-hotline = To talk to our staff, please call { $hotline } or visit { $address }.

# Language
language-ask = Please choose a language:
language-changed = We will use English from now on.

# Personal data
erase-ask = Delete all your data here, including what you have not sent yet? This cannot be undone.
erased = Your data here have been deleted.
erase-kept = Nothing was deleted.
data-none = We hold no report of yours from this channel.
data-list = What you have sent from this channel:
data-item = { $code }: { $title }, { $date }
data-open = Not yet sent: { $title }, { $count } answers.
data-erase = To delete it, reply DELETE MY DATA.

# Sent by themselves
flood = You are sending faster than we can read. Please wait a moment and go on.
reminder = You have not finished { $title }. Reply CONTINUE to go on, or CANCEL to drop it.
expired = What you started was open for a long time, so we have closed it. Reply MENU whenever you need us.
opted-out = You will get no more notices here. You can still write to us; reply START to get notices again.
opted-in = You will get notices here again.

# Feedback on a notice, as the agency reads it
feedback-title = Feedback: { $title }
feedback-ticket = Code of the report
feedback-rating = Stars
feedback-choices = Choices
feedback-text = Comment

# Key words: the whole message is one of these, in any case.
# "-sure" are clear enough even where a free answer is expected.
words-back = back, go back, previous
words-back-sure = back, go back
words-skip = skip, skip it, pass
words-skip-sure = skip
words-change = change, edit, review
words-change-sure = change an answer
words-cancel = cancel, abort
words-cancel-sure = cancel
words-restart = restart, start over, start again, start, get started, get_started
words-restart-sure = restart, start over, start again
words-menu = menu, main menu, home
words-menu-sure = menu, main menu
words-help = help, help me
words-help-sure = help
words-language = language, lang, change language
words-language-sure = change language
words-person = agent, human, staff, talk to staff, operator
words-person-sure = talk to staff
words-erase = delete my data, erase my data
words-erase-sure = delete my data, erase my data
words-data = my data, show my data
words-data-sure = my data, show my data
words-stop = stop, unsubscribe
words-stop-sure = stop, unsubscribe
words-continue = continue, go on
words-done = done, finished, that's all
words-send = send, send it, submit
words-switch = english, tieng anh
