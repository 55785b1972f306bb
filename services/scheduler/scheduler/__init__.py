"""The scheduler: routes rewritten posts, asks for collections by the clock, and buries what the server gave up."""
