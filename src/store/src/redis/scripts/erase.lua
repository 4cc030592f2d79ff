-- Removes everything held of a conversation.
--
-- keys    all of the conversation's and the indexes (see prelude and dead.lua)
-- args    channel, member
-- result  1 when there was a session, what waited, tickets

local channel, member = arg(), arg()
local session, waiting, tickets = erase(member, channel)
finish()
return { session, waiting, tickets }
