import "hallpass-web/callback";
